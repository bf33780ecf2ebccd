// What `memside eval associative` is asked, what it records of a model, and what it writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/associative.h"
#include "eval/key_recall.h"

namespace memside::cli {

struct AssociativeRequest {
    std::string model;
    std::string text;
    std::int64_t statistics_tokens = 0;
    std::optional<std::int64_t> layer;
    int kv_head = 0;
    std::uint64_t seed = 1;
    eval::AssociativeOptions run;
};

struct AssociativeRecord {
    eval::AssociativeSource source;
    int layer = 0;
    std::string model;
    // On the keys of the text's first half, for queries of the second, and on as many drawn keys.
    std::vector<eval::KeyRecall> recall;
    std::vector<eval::KeyRecall> drawn_recall;
};

std::string associative_json(const AssociativeRequest& request, const AssociativeRecord& recorded,
                             const eval::AssociativeResult& result);
// A row per way of selecting and margin.
std::string associative_csv(const AssociativeRequest& request,
                            const eval::AssociativeResult& result);
// Tables for a person.
std::string associative_text(const AssociativeRequest& request, const AssociativeRecord& recorded,
                             const eval::AssociativeResult& result);

}  // namespace memside::cli
