// One search: the loop of proposing, measuring and observing, with limits, a database and progress.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tune/database.h"
#include "tune/explorer.h"
#include "tune/trial.h"

namespace memside::tune {

// Measures a candidate. An Error ends the search; a candidate's failure is a result.
using Measure = std::function<Result<TrialResult>(CandidateId candidate)>;

struct SearchProgress {
    std::size_t trials = 0;
    std::size_t kept = 0;   // of them, taken from the database
    std::size_t limit = 0;  // trials at most
    std::size_t failures = 0;
    double best_time_ns = 0;  // 0: none yet
};

struct SearchOptions {
    std::uint64_t seed = 1;
    std::size_t plan = 64;
    std::size_t most_trials = 1000;
    double most_minutes = 0;  // of this run, asked before each trial; 0: no limit
    std::function<void(const SearchProgress&)> progress;
};

// Where the trials of a search go, and come from when it is resumed.
struct SearchStore {
    Database* database = nullptr;
    std::int64_t search = 0;
};

struct SearchOutcome {
    struct Trial {
        CandidateId candidate;
        TrialResult result;
    };
    std::vector<Trial> trials;        // in their order
    std::optional<std::size_t> best;  // the fastest trial; nothing when all failed
    std::size_t failures = 0;
    bool complete = false;  // every candidate was measured

    double best_time_ns() const { return best ? trials[*best].result.time_ns : 0; }
};

// Measures the first batch of all methods, then what `method` proposes. With a store, trials that
// it has are taken from there (the same seed makes the same proposals, so that a resumed search
// goes through the ones it has seen), and the others added as they end.
Result<SearchOutcome> search(std::shared_ptr<const Candidates> candidates, const Method& method,
                             const SearchOptions& options, const Measure& measure,
                             const SearchStore& store = {});

}  // namespace memside::tune
