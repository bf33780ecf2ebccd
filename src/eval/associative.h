// Associative recall: of many questions to a cache whose answers are known, how many does attention
// answer when it reads everything, and how many when it reads the pages that digests point to.
//
// An answer counts as found when the code word nearest to the attention output of the head that
// asks is the answer's. Digests, selection and attention are those of decoding: the same stores and
// kernels.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/page_selector.h"
#include "eval/associative_memory.h"

namespace memside::eval {

struct Grouping {
    kv::SelectPer select_per = kv::SelectPer::kv_head;
    kv::GroupScore group_score = kv::GroupScore::mean;
};

struct AssociativeDigest {
    kv::DigestKind kind = kv::DigestKind::minmax;
    kv::DigestType type = kv::DigestType::f16;
    float coefficient = 1.0F;
};

struct AssociativeOptions {
    AssociativeShape shape;
    std::vector<double> margins;  // descending
    std::vector<std::int64_t> budget_tokens;
    std::vector<AssociativeDigest> digests;
    std::vector<Grouping> groupings;
    kv::PinnedPages pinned{1, 2};
    std::int64_t trials = 100;
    unsigned threads = 0;  // 0: all cores; never changes the result
    std::function<void(std::int64_t)> asked = [](std::int64_t) {};  // hears of finished trials
};

// What one way of selecting has answered, by margin.
struct AssociativeCell {
    AssociativeDigest digest;
    Grouping grouping;
    std::int64_t budget_tokens = 0;
    std::vector<std::int64_t> found;  // [margins], of the trials
    // Questions that dense answers and this does not.
    std::vector<std::int64_t> lost;
};

// Where the page of the answer ranks among all by its score, 1 first: the pages that would have had
// to be selected. Of the set that the asking head attends.
struct AssociativeRank {
    AssociativeDigest digest;
    Grouping grouping;
    std::vector<std::vector<std::int64_t>> ranks;  // [margins][trials]
};

struct AssociativeResult {
    std::vector<std::int64_t> dense_found;  // [margins]
    std::vector<AssociativeCell> cells;     // by digest, grouping, budget
    std::vector<AssociativeRank> ranks;     // by digest, grouping
    // Of the largest logit of the drawn keys, and of their deviation, means over trials: how the
    // questions lie.
    double largest_logit = 0.0;
    double logit_deviation = 0.0;
    double box_width = 0.0;  // as KeyStatistics, of drawn keys: what the recorded one became
};

// infeasible when keys, values and digests do not fit this machine.
Result<AssociativeResult> run_associative(const AssociativeSource& source,
                                          const AssociativeOptions& options);

}  // namespace memside::eval
