#include "tune/search.h"

#include <chrono>

namespace memside::tune {
namespace {

using Clock = std::chrono::steady_clock;

class Search {
  public:
    Search(const Candidates& candidates, const SearchOptions& options, const Measure& measure,
           const SearchStore& store)
        : candidates_(candidates), options_(options), measure_(measure), store_(store) {
        progress_.limit = std::min(options.most_trials, candidates.size());
    }

    Status load() {
        if (store_.database == nullptr) return {};
        MEMSIDE_TRY(known_, store_.database->trials(store_.search));
        return {};
    }

    std::size_t left() const { return progress_.limit - outcome_.trials.size(); }

    // Those that were measured before time ran out.
    Result<std::vector<Observation>> measure(const std::vector<CandidateId>& batch) {
        std::vector<Observation> seen;
        for (const CandidateId id : batch) {
            if (out_of_time()) break;
            MEMSIDE_TRY(TrialResult result, trial(id));
            // Operations are those of the task: time alone orders the candidates.
            seen.push_back({id, result.ok() ? 1.0 / result.time_ns : 0.0});
            count(id, std::move(result));
        }
        return seen;
    }

    bool out_of_time() const {
        if (options_.most_minutes <= 0) return false;
        const std::chrono::duration<double, std::ratio<60>> spent = Clock::now() - start_;
        return spent.count() >= options_.most_minutes;
    }

    Result<SearchOutcome> finish() {
        outcome_.complete = outcome_.trials.size() == candidates_.size();
        if (outcome_.complete && store_.database != nullptr) {
            MEMSIDE_CHECK(store_.database->mark_exhaustive(store_.search));
        }
        return std::move(outcome_);
    }

  private:
    Result<TrialResult> trial(CandidateId id) {
        const std::string config = candidates_.text(id);
        if (const auto found = known_.find(config); found != known_.end()) {
            ++progress_.kept;
            return found->second;
        }
        MEMSIDE_TRY(const TrialResult result, measure_(id));
        if (store_.database != nullptr) {
            MEMSIDE_CHECK(
                store_.database->add(store_.search, outcome_.trials.size() + 1, config, result));
        }
        return result;
    }

    void count(CandidateId id, TrialResult result) {
        if (!result.ok()) {
            ++outcome_.failures;
        } else if (!outcome_.best || result.time_ns < outcome_.best_time_ns()) {
            outcome_.best = outcome_.trials.size();
        }
        outcome_.trials.push_back({id, std::move(result)});
        progress_.trials = outcome_.trials.size();
        progress_.failures = outcome_.failures;
        progress_.best_time_ns = outcome_.best_time_ns();
        if (options_.progress) options_.progress(progress_);
    }

    const Candidates& candidates_;
    const SearchOptions& options_;
    const Measure& measure_;
    const SearchStore& store_;
    Clock::time_point start_ = Clock::now();
    std::map<std::string, TrialResult> known_;
    SearchProgress progress_;
    SearchOutcome outcome_;
};

}  // namespace

Result<SearchOutcome> search(std::shared_ptr<const Candidates> candidates, const Method& method,
                             const SearchOptions& options, const Measure& measure,
                             const SearchStore& store) {
    Search state(*candidates, options, measure, store);
    MEMSIDE_CHECK(state.load());
    const auto explorer = method.make(candidates, options.seed, options.plan);
    std::vector<CandidateId> batch =
        first_batch(*candidates, options.seed, std::min(options.plan, state.left()));
    while (!batch.empty()) {
        MEMSIDE_TRY(const std::vector<Observation> seen, state.measure(batch));
        if (seen.size() < batch.size()) break;
        explorer->observe(seen);
        batch = explorer->propose(std::min(options.plan, state.left()));
    }
    return state.finish();
}

}  // namespace memside::tune
