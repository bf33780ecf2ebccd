// Statistics of page scores over steps: of a recording, or of the synthetic source beside it. What
// recalls, steady pages and budgets are made of, by stream (request, layer) and budget.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kv/score_source.h"

namespace memside::kv {

// Steps apart at which the scores of a page are compared.
inline constexpr std::array<std::int64_t, 8> correlation_lags{1, 2, 4, 8, 16, 32, 64, 128};
// Ages, in steps, at which the lifetime in the top set is given.
inline constexpr std::array<std::int64_t, 7> lifetime_ages{1, 2, 4, 8, 16, 32, 64};
// Steps that `steady_share` and `overlap` look ahead.
inline constexpr std::int64_t steady_steps = 16;
inline constexpr std::int64_t settled_steps = 32;
// Newest pages that `newest_selected` is about.
inline constexpr std::int64_t newest_pages = 8;

// Of the top set of a budget; no page is pinned.
struct BudgetStatistics {
    std::int64_t budget_pages = 0;
    double drop_out_rate = 0.0;  // share of the set that is out one step later
    double steady_share = 0.0;   // share that stays in through the next steady_steps steps
    double overlap = 0.0;        // share that is in steady_steps steps later, out or not meanwhile
    // Of pages that have been in for settled_steps steps or more, the share that is out one step
    // later: what a pool of pages that stay loses.
    double settled_drop_out = 0.0;
    double mass = 0.0;             // share of importance, exp(score), that the set holds
    double sink_selected = 0.0;    // share of steps with page 0 in the set
    double newest_selected = 0.0;  // of the newest_pages newest pages, the share in the set
    // Share of stays in the set that last longer than lifetime_ages steps, by the estimator of
    // Kaplan and Meier: a stay that began before the first step is left out, one that lasts beyond
    // the last step counts as long as it was seen. Pages that never leave are no stay.
    std::array<double, lifetime_ages.size()> outlives{};
};

// Of one stream, or means over several.
struct TraceStatistics {
    std::int64_t streams = 0;
    std::int64_t steps = 0;
    std::int64_t pages = 0;  // at the first step
    // Of the older half of the pages without page 0, at one step: standard deviation, and the
    // third and fourth standardised moments (0 and 3 of a normal distribution).
    double sigma = 0.0;
    double skewness = 0.0;
    double kurtosis = 0.0;
    // Of the same pages, between steps so far apart; the mean over pages is taken off at each step.
    // A trace that is shorter than a lag has 0 there.
    std::array<double, correlation_lags.size()> correlation{};
    double sink_excess = 0.0;  // score of page 0 above the mean of those pages
    // Mean scores above theirs by age: of the newest page, of the next, of the next 2, 4, 8, ...
    // The older half is no part of it.
    std::vector<double> recency;
    double drop_out_spread = 0.0;  // of the first budget's rates between streams, deviation / mean
    std::vector<BudgetStatistics> budgets;
};

struct StreamId {
    std::int64_t request = 0;
    std::int64_t layer = 0;
};

struct TraceWindow {
    std::int64_t first_step = 0;
    std::int64_t steps = 0;  // at least 2
};

// Statistics of each of `streams` over the window, which the source must have. Budgets ascend and
// are at least 1. The same for any number of threads (0: all cores).
std::vector<TraceStatistics> trace_statistics(const ScoreSource& source,
                                              const std::vector<StreamId>& streams,
                                              TraceWindow window,
                                              const std::vector<std::int64_t>& budget_pages,
                                              unsigned threads);

// Means over streams, of budgets in their order; at least one.
TraceStatistics mean_statistics(const std::vector<TraceStatistics>& streams);

// All streams of `requests` requests and `layers` layers.
std::vector<StreamId> all_streams(std::int64_t requests, std::int64_t layers);

}  // namespace memside::kv
