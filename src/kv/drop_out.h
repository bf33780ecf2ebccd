// The drop-out rate: which share of the selected pages is no longer selected one step later. It is
// what recalls are made of, and what the synthetic scores are set by.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kv/score_source.h"
#include "kv/scores_synthetic.h"
#include "kv/selection.h"

namespace memside::kv {

struct DropOutOptions {
    std::int64_t budget_pages = 1;
    PinnedPages pinned;
    std::int64_t pairs = 8;   // (request, layer) pairs that are measured
    std::int64_t steps = 16;  // of each
    unsigned threads = 1;     // never changes the result
};

// The drop-out rate of a source at a budget, in [0, 1]: mean over requests 0 to pairs - 1 of layer
// 0. Errors as run_selection.
Result<double> measure_drop_out(const ScoreSource& source, const DropOutOptions& options);

// The drift at which synthetic scores of this shape and seed have the wanted drop-out rate at that
// budget, by bisection to a millionth of drift. bad_input at `where` when no drift from 0 to 1
// gives it: bursts, jitter and growth of the context cause some drop-outs at drift 0, and at drift
// 1 the rate is that of independent steps.
Result<double> drift_for_drop_out(double wanted, SyntheticParameters parameters,
                                  const SyntheticShape& shape, std::uint64_t seed,
                                  const DropOutOptions& options, const std::string& where);

}  // namespace memside::kv
