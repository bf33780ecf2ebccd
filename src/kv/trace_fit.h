// The synthetic scores fitted to a recording: parameters under which several statistics come out
// together as they were recorded, and how far those of steps that the fit has not seen are off.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/scores_synthetic.h"
#include "kv/trace_statistics.h"

namespace memside::kv {

// A figure of the statistics that a fit is judged by.
struct FittedFigure {
    std::string name;  // "drop_out_rate", "outlives_4", ...
    std::int64_t budget_pages = 0;
    double recorded = 0.0;
    double fitted = 0.0;

    // ln((fitted + 0.001) / (recorded + 0.001)): about the relative error, of rates far below a
    // thousandth less.
    double error() const;
};

// Of each budget: drop-out rate, that of settled pages, steady share, overlap, mass, and lifetimes
// beyond 1, 4, 16 and 64 steps. `recorded` and `fitted` have the same budgets.
std::vector<FittedFigure> compare_statistics(const TraceStatistics& recorded,
                                             const TraceStatistics& fitted);

// Root of the mean squared error: at 0.1 a typical figure is off by a tenth.
double statistics_distance(const TraceStatistics& recorded, const TraceStatistics& fitted);

// Parameters from closed forms, where a search begins:
//   sigma, persistence, drift, jitter   variance and correlation: of a page's score at lag k,
//                    sigma^2 (persistence + (1 - persistence) (1 - drift^2)^(k/2)), and
//                    sigma^2 jitter^2 more at lag 0
//   sink_boost, recency_boost, recency_half_tokens   the excess of page 0 and of new pages
//   drift_spread     the spread of drop-out rates, which are in proportion to drift
// No bursts, one sink page.
SyntheticParameters closed_form_parameters(const TraceStatistics& recorded,
                                           std::int64_t page_tokens);

struct FitOptions {
    SyntheticShape shape;  // of the recording at the first fitted step
    std::int64_t synthetic_streams = 8;
    std::uint64_t seed = 1;
    std::int64_t evaluations = 240;  // of the distance, at most
    unsigned threads = 0;            // 0: all cores; never changes the result
    std::function<void(std::int64_t)> evaluated = [](std::int64_t) {};  // hears how many are done
};

struct TraceFit {
    SyntheticParameters start;  // closed forms
    SyntheticParameters parameters;
    TraceStatistics fitted;  // of the synthetic source with `parameters`
    double start_distance = 0.0;
    double distance = 0.0;
    std::int64_t evaluations = 0;
};

// Begins at the closed forms and searches sigma, persistence, drift, jitter and the rate of bursts
// (twice sigma high, of the default length) for the least distance, by the simplex method of
// Nelder and Mead. Every try draws the same random numbers: the result follows from the seed.
TraceFit fit_synthetic(const TraceStatistics& recorded, const FitOptions& options);

// Statistics of the synthetic source as fit_synthetic takes them.
TraceStatistics synthetic_statistics(const SyntheticParameters& parameters,
                                     const TraceStatistics& like, const FitOptions& options);

}  // namespace memside::kv
