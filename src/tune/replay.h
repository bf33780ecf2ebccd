// The bake-off: methods x seeds on spaces whose truth is known, counted in trials.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tune/explorer.h"
#include "tune/truth.h"

namespace memside::tune {

// Shares of the best score (operations per second) that a search is to reach.
inline constexpr std::array<double, 3> replay_levels{0.95, 0.99, 1.0};

struct ReplayOptions {
    std::vector<Method> methods;
    std::vector<std::size_t> plans{64};
    std::size_t seeds = 20;       // 1, 2, ..
    std::size_t most_trials = 0;  // 0: as many as there are candidates
    double noise = 0;             // a time within this share of the best one is a tie with it
    unsigned threads = 0;         // 0: all cores; the result does not depend on it
    std::function<void(std::size_t done, std::size_t total)> progress;  // one thread at a time
};

// One search.
struct Replay {
    std::size_t truth = 0;
    std::size_t method = 0;
    std::size_t plan = 0;
    std::uint64_t seed = 0;
    // The trials, counted from 1, after which each level was reached; nothing: not within the
    // limit.
    std::array<std::optional<std::size_t>, replay_levels.size()> reached;
    // Share of the best score after 1, 2, .. trials, up to the last change.
    std::vector<float> best_after;
};

// In the order of truths, plans, methods, seeds. A search ends once it has reached every level.
std::vector<Replay> replay(const std::vector<Truth>& truths, const ReplayOptions& options);

// Median and quartiles of some counts; where too few reached the level, nothing. Between two counts
// they are interpolated (Hyndman and Fan's type 7).
struct Quartiles {
    std::optional<double> low;
    std::optional<double> median;
    std::optional<double> high;
};
Quartiles quartiles(std::vector<std::optional<std::size_t>> counts);

// All seeds of a method on a truth with a plan.
struct ReplaySummary {
    std::size_t truth = 0;
    std::size_t method = 0;
    std::size_t plan = 0;
    std::array<Quartiles, replay_levels.size()> trials;
};
std::vector<ReplaySummary> summarise(const std::vector<Replay>& replays);

// The median trials of each method to a level, as a share of those of method `base` with the same
// plan: geometric mean over the truths where the base's median is at least `least_trials` and both
// have a median.
struct Comparison {
    std::size_t method = 0;
    std::size_t plan = 0;
    std::optional<double> ratio;       // nothing without such a truth
    std::vector<std::size_t> counted;  // truths
};
std::vector<Comparison> compare(const std::vector<ReplaySummary>& summaries, std::size_t base,
                                std::size_t level, double least_trials);

}  // namespace memside::tune
