#include "tune/truth_rounds.h"

#include <numeric>

#include "base/median.h"
#include "tune/measure.h"

namespace memside::tune {
namespace {

class Rounds {
  public:
    Rounds(const Candidates& candidates, const RoundOptions& options, const Measure& measure,
           Database* database, const Task& task)
        : candidates_(candidates),
          options_(options),
          measure_(measure),
          database_(database),
          task_(task),
          times_(candidates.size()) {
        total_ = candidates.size() * options.rounds +
                 std::min(options.best_count, candidates.size()) * options.best_rounds;
    }

    // Rounds count from 1.
    Status run(std::size_t round, std::vector<CandidateId> ids) {
        Random random(
            {options_.seed, static_cast<std::uint64_t>(Stream::measurement_order), round});
        random.shuffle(ids);
        std::int64_t search = 0;
        std::map<std::string, TrialResult> known;
        if (database_ != nullptr) {
            MEMSIDE_TRY(search, database_->begin(task_, {"round", round, 0}, true));
            MEMSIDE_TRY(known, database_->trials(search));
        }
        std::size_t number = known.size();
        for (const CandidateId id : ids) {
            if (options_.progress) options_.progress(done_, total_);
            ++done_;
            if (!times_[id].error.empty()) continue;
            const std::string config = candidates_.text(id);
            TrialResult result;
            if (const auto found = known.find(config); found != known.end()) {
                result = found->second;
            } else {
                MEMSIDE_TRY(result, measure_(id));
                if (database_ != nullptr) {
                    MEMSIDE_CHECK(database_->add(search, ++number, config, result));
                }
            }
            if (result.ok()) {
                times_[id].samples_ns.push_back(result.time_ns);
            } else {
                const auto status = static_cast<std::size_t>(result.status);
                times_[id].error = fmt::format("{}: {}", trial_status_names[status], result.error);
            }
        }
        return {};
    }

    std::vector<CandidateId> fastest(std::size_t count) const {
        std::vector<CandidateId> ids;
        for (CandidateId id = 0; id < times_.size(); ++id) {
            if (times_[id].time_ns() > 0) ids.push_back(id);
        }
        std::stable_sort(ids.begin(), ids.end(), [&](CandidateId a, CandidateId b) {
            return times_[a].time_ns() < times_[b].time_ns();
        });
        ids.resize(std::min(count, ids.size()));
        return ids;
    }

    std::vector<RoundTimes> take() { return std::move(times_); }

  private:
    const Candidates& candidates_;
    const RoundOptions& options_;
    const Measure& measure_;
    Database* database_;
    const Task& task_;
    std::vector<RoundTimes> times_;
    std::size_t done_ = 0;
    std::size_t total_ = 0;
};

}  // namespace

double RoundTimes::time_ns() const {
    return error.empty() && !samples_ns.empty() ? median(samples_ns) : 0.0;
}

double RoundTimes::spread() const {
    if (time_ns() <= 0) return 0;
    std::vector<double> sorted = samples_ns;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = (sorted.size() + 1) / 2;  // the one in the middle is in both
    const auto middle = static_cast<std::ptrdiff_t>(half);
    const double low = median({sorted.begin(), sorted.begin() + middle});
    const double high = median({sorted.end() - middle, sorted.end()});
    return (high - low) / 2 / time_ns();
}

Result<std::vector<RoundTimes>> measure_rounds(const Candidates& candidates,
                                               const RoundOptions& options, const Measure& measure,
                                               Database* database, const Task& task) {
    Rounds rounds(candidates, options, measure, database, task);
    std::vector<CandidateId> all(candidates.size());
    std::iota(all.begin(), all.end(), CandidateId{0});
    std::size_t round = 0;
    while (round < options.rounds) MEMSIDE_CHECK(rounds.run(++round, all));
    const std::vector<CandidateId> best = rounds.fastest(options.best_count);
    for (std::size_t i = 0; i < options.best_rounds; ++i) {
        MEMSIDE_CHECK(rounds.run(++round, best));
    }
    return rounds.take();
}

}  // namespace memside::tune
