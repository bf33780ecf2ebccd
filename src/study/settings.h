// A simulation as its user writes it: names and texts, each with its place, from a command line or
// from a spec. One reader turns them into a request, so that both mean and refuse the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/simulate.h"

namespace memside {

// One option or one --set pair.
struct Setting {
    std::string name;   // "page-size"; of --set the path, "gpu.price": it has a dot, no option has
    std::string value;  // as written
    std::string where;  // "sweep.yaml:12"; empty on a command line

    bool is_set() const { return name.find('.') != std::string::npos; }
    // For messages: "--context", "--set gpu.price", "sweep.yaml:12: context".
    std::string shown() const;
};

struct Settings {
    std::string file;  // the spec they come from; empty: a command line
    std::vector<Setting> list;

    // The last one of that name wins, or nullptr.
    const Setting* find(std::string_view name) const;
    std::optional<std::string> text(std::string_view name) const;
    // Replaces the setting of that name, or adds it.
    void put(Setting setting);
};

// bad_input that names the place for an unknown value, a missing or contradictory setting, and one
// that the policy does not read. Names must be known (simulation_options.h, or have a dot).
Result<SimulationRequest> read_request(const Settings& settings);

}  // namespace memside
