#include "tune/tune_task.h"

namespace memside::tune {

Result<Workbench> open_workbench(const Target& target, const Task& task, std::uint64_t seed,
                                 const RunnerLimits& limits) {
    Workbench bench;
    MEMSIDE_TRY(std::shared_ptr<const SearchSpace> space, target.space(task));
    MEMSIDE_TRY(bench.candidates, Candidates::of(std::move(space)));
    MEMSIDE_TRY(MeasurerFactory factory, target.measurer(task, seed));
    MEMSIDE_TRY(bench.runner, IsolatedRunner::start(std::move(factory), limits));
    return bench;
}

Result<TaskOutcome> tune_task(const Target& target, const Task& task, const TuneOptions& options,
                              Database* database) {
    MEMSIDE_TRY(const Workbench bench,
                open_workbench(target, task, options.search.seed, options.limits));
    SearchStore store{database, 0};
    if (database != nullptr) {
        const SearchKey key{options.method.text, options.search.seed, options.search.plan};
        MEMSIDE_TRY(store.search, database->begin(task, key, options.resume));
    }
    TaskOutcome outcome;
    outcome.task = task;
    outcome.candidates = bench.candidates;
    MEMSIDE_TRY(outcome.search, search(
                                    bench.candidates, options.method, options.search,
                                    [&](CandidateId id) {
                                        return bench.runner->run(bench.candidates->point(id),
                                                                 options.sampling);
                                    },
                                    store));
    if (outcome.search.complete && outcome.search.best) {
        outcome.exhaustive_best_ns = outcome.search.best_time_ns();
    } else if (database != nullptr) {
        MEMSIDE_TRY(outcome.exhaustive_best_ns, database->exhaustive_best_ns(task));
    }
    return outcome;
}

}  // namespace memside::tune
