// Runs selection and residency over the steps of a sample of (request, layer) pairs: where the
// numbers of selected and recalled pages come from, in `simulate` as in `run`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "kv/residency.h"
#include "kv/score_source.h"
#include "kv/selection.h"

namespace memside::kv {

struct SelectionRunOptions {
    std::int64_t requests = 1;  // population of pairs: requests x layers
    std::int64_t layers = 1;
    std::int64_t budget_pages = 1;  // pinned pages included
    PinnedPages pinned;
    const ResidencyVariant* residency = &residency_variant("none");
    std::int64_t pool_pages = 0;  // places in the fast pool, per request and layer
    // False: another micro-batch uses the pool between two steps of this one, so that nothing is
    // resident when a step begins.
    bool pool_keeps_pages = true;
    std::int64_t steps = 1;         // counted
    std::int64_t warmup_steps = 0;  // run before, not counted
    std::int64_t sample_pairs = 8;  // pairs that are run; 0 or more than there are: all
    std::uint64_t seed = 1;         // which pairs
    unsigned threads = 1;           // 0: all cores; never changes the result
};

// A mean per request, layer and step, estimated from the sample.
struct Estimate {
    double mean = 0.0;

    // Of the mean, for a sample drawn without replacement: s / sqrt(n) x sqrt(1 - n / N). 0 when
    // every pair was run; none when one pair of several was.
    std::optional<double> standard_error;
};

// Means per request and layer of one counted step.
struct StepMeans {
    double selected = 0.0;
    double recalled = 0.0;
    double dropped_out = 0.0;
};

struct SelectionRunResult {
    Estimate scanned;      // pages that were scored
    Estimate selected;     // pages that were attended
    Estimate recalled;     // pages brought into the pool
    Estimate evicted;      // pages that left it
    Estimate in_pool;      // selected pages that were resident when they were attended
    Estimate dropped_out;  // pages selected at the step before, and not any more
    std::int64_t pairs = 0;
    std::vector<StepMeans> by_step;  // the counted steps in order

    // Share of the selected pages that drop out per step.
    double drop_out_rate() const { return dropped_out.mean / selected.mean; }
};

// One more step than warmup_steps + steps is taken: the first only fills the pool with the pages
// that rank first, as the prefill would leave it. bad_input when the source has fewer requests,
// layers or steps than asked for; infeasible when the policy needs a pool that holds the budget and
// this one does not. The result is the same for any number of threads.
Result<SelectionRunResult> run_selection(const ScoreSource& source,
                                         const SelectionRunOptions& options);

// `count` of the numbers 0 to population - 1 by seed, ascending, each subset equally likely; all of
// them when count is 0 or at least the population.
std::vector<std::int64_t> draw_sample(std::int64_t population, std::int64_t count,
                                      std::uint64_t seed);

}  // namespace memside::kv
