// Tuning one task from end to end: its space, its search in a process of its own, its best.
#pragma once

#include <functional>

#include "tune/isolated_runner.h"
#include "tune/search.h"
#include "tune/target.h"

namespace memside::tune {

struct TuneOptions {
    Method method;
    SearchOptions search;
    RunnerLimits limits;
    Sampling sampling;
    bool resume = false;
};

struct TaskOutcome {
    Task task;
    std::shared_ptr<const Candidates> candidates;
    SearchOutcome search;
    // The best of the whole space, from this search or an earlier one of the database.
    std::optional<double> exhaustive_best_ns;

    double gops(double time_ns) const { return task.shape.operations() / time_ns; }
};

// To be called while the process has no other threads (isolated_runner.h). `database` may be null.
// That all candidates fail is an outcome without a best.
Result<TaskOutcome> tune_task(const Target& target, const Task& task, const TuneOptions& options,
                              Database* database);

// The space of a task and what measures it: for searches, and for truth tables.
struct Workbench {
    std::shared_ptr<const Candidates> candidates;
    std::unique_ptr<IsolatedRunner> runner;
};
Result<Workbench> open_workbench(const Target& target, const Task& task, std::uint64_t seed,
                                 const RunnerLimits& limits);

}  // namespace memside::tune
