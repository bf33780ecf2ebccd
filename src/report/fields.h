// The scalar keys of a result in the order of every output: one table that the JSON writer, the
// JSON reader and the CSV share, so that they cannot disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cluster/result.h"

namespace memside {

// The member of SimulationResult behind a key. An empty optional is null in JSON, empty in CSV.
using FieldMember = std::variant<std::string SimulationResult::*, std::int64_t SimulationResult::*,
                                 std::optional<std::int64_t> SimulationResult::*,
                                 std::optional<double> SimulationResult::*,
                                 std::optional<std::string> SimulationResult::*>;

struct ScalarField {
    std::string_view key;  // snake_case, the unit at the end
    FieldMember member;
};

// `model` to `pp`, then those of served workloads. `version` stands before them; the lists and
// `seed` follow.
const std::vector<ScalarField>& scalar_fields();

// What outputs show of a field in place of its member: the time average of a served workload's
// batch, which is rarely whole. Nothing for all other fields.
std::optional<double> shown_mean(const ScalarField& field, const SimulationResult& result);

}  // namespace memside
