// Synthetic page scores with stated statistics, for contexts that nobody has a trace of. Every
// parameter is assumed until traces of real models replace it; what matters to the policies, the
// share of selected pages that drop out per step, is set by `drift` (see drop_out.h).
//
// The score of a page is the logarithm of its importance. Importance is log-normal over pages (a
// heavy tail: few pages hold most of the attention), and each page's own part drifts as an AR(1)
// process, on top of which sinks, recency and bursts raise some pages:
//   y(t)     = sqrt(1 - drift^2) y(t-1) + drift e(t)          stationary, variance 1
//   x(t)     = sqrt(persistence) c + sqrt(1 - persistence) y(t)   c: drawn once for a page
//   score(t) = sigma (x(t) + jitter n(t)) + sink + recency(age) + burst(t)
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/score_source.h"

namespace memside::kv {

struct SyntheticParameters {
    double sigma = 2.0;
    double drift = 0.1;
    double jitter = 0.0;
    double persistence = 0.0;
    double drift_spread = 0.25;
    double sink_pages = 1.0;
    double sink_boost = 8.0;
    double recency_boost = 4.0;
    double recency_half_tokens = 1024.0;
    double burst_rate = 5e-4;
    double burst_steps = 8.0;
    double burst_boost = 4.0;
};

// One parameter: its name for `--set scores.NAME`, its range, and what a report says about it.
struct SyntheticParameter {
    std::string_view name;
    double SyntheticParameters::* member;
    double low;
    double high;
    bool whole;  // a whole number
    std::string_view meaning;
    std::string_view source;  // "assumed: why"
};
std::span<const SyntheticParameter> synthetic_parameters();

// Sets the parameter of that name; bad input at `where` for an unknown name or a value out of
// range.
Status set_synthetic_parameter(SyntheticParameters& parameters, std::string_view name, double value,
                               const std::string& where);

struct SyntheticShape {
    std::int64_t context_tokens = 0;  // at step 0; every step adds one token
    std::int64_t page_tokens = 0;
};

// The source is unlimited in requests, layers and steps. The same seed gives the same bytes on any
// number of threads. Parameters must be in range.
std::unique_ptr<ScoreSource> make_synthetic_scores(const SyntheticParameters& parameters,
                                                   const SyntheticShape& shape, std::uint64_t seed);

}  // namespace memside::kv
