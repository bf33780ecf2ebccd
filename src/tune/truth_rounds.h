// Measures every candidate of a space in interleaved rounds, so that a slow minute of the machine
// falls on all of them: what truth tables (truth.h) are made from.
#pragma once

#include <functional>

#include "tune/database.h"
#include "tune/search.h"

namespace memside::tune {

struct RoundOptions {
    std::size_t rounds = 3;
    std::size_t best_count = 20;   // after which so many of the fastest
    std::size_t best_rounds = 10;  // are measured in so many more
    std::uint64_t seed = 1;        // of the order within a round
    std::function<void(std::size_t done, std::size_t total)> progress;
};

struct RoundTimes {
    std::vector<double> samples_ns;  // of the rounds that it passed
    std::string error;               // why it failed, in whichever round; then it has no time

    double time_ns() const;  // median; 0 when it failed
    // Half of the distance between its quartiles, as a share of the median.
    double spread() const;
};

// Per candidate. A candidate that fails is not measured again. With a database, rounds are kept as
// searches of the task named "round", with their number as seed, and taken from there.
Result<std::vector<RoundTimes>> measure_rounds(const Candidates& candidates,
                                               const RoundOptions& options, const Measure& measure,
                                               Database* database = nullptr, const Task& task = {});

}  // namespace memside::tune
