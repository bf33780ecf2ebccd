#include "tune/replay.h"

#include <cassert>
#include <cmath>
#include <mutex>

#include "base/parallel.h"

namespace memside::tune {
namespace {

// Counts trials until all levels are reached.
class Scoreboard {
  public:
    Scoreboard(const Truth& truth, double noise, Replay& replay)
        : truth_(truth), noise_(noise), replay_(replay) {}

    void add(CandidateId id) {
        ++trials_;
        const double share = truth_.share_of_best(id);
        if (share <= best_) return;
        best_ = share;
        replay_.best_after.resize(trials_ - 1, last_);
        last_ = static_cast<float>(share);
        replay_.best_after.push_back(last_);
        for (std::size_t level = 0; level < replay_levels.size(); ++level) {
            // At 100 %, a time that is as good as the best one within the noise.
            const double wanted =
                replay_levels[level] < 1 ? replay_levels[level] : 1 / (1 + noise_);
            if (!replay_.reached[level] && share >= wanted) replay_.reached[level] = trials_;
        }
    }

    bool done() const {
        return std::all_of(replay_.reached.begin(), replay_.reached.end(),
                           [](const auto& reached) { return reached.has_value(); });
    }
    std::size_t trials() const { return trials_; }

  private:
    const Truth& truth_;
    double noise_;
    Replay& replay_;
    std::size_t trials_ = 0;
    double best_ = 0;
    float last_ = 0;
};

void run(const Truth& truth, const Method& method, const ReplayOptions& options, Replay& replay) {
    const auto explorer = method.make(truth.candidates, replay.seed, replay.plan);
    std::size_t limit = truth.candidates->size();
    if (options.most_trials > 0) limit = std::min(limit, options.most_trials);
    Scoreboard board(truth, options.noise, replay);
    std::vector<CandidateId> batch =
        first_batch(*truth.candidates, replay.seed, std::min(replay.plan, limit));
    while (!batch.empty()) {
        std::vector<Observation> results;
        for (const CandidateId id : batch) {
            board.add(id);
            results.push_back({id, truth.share_of_best(id)});
        }
        if (board.done()) return;
        explorer->observe(results);
        batch = explorer->propose(std::min(replay.plan, limit - board.trials()));
    }
}

std::optional<double> quantile(const std::vector<std::optional<std::size_t>>& sorted,
                               double share) {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(std::floor(place));
    const auto high = static_cast<std::size_t>(std::ceil(place));
    if (!sorted[low] || !sorted[high]) return std::nullopt;
    const auto from = static_cast<double>(*sorted[low]);
    const auto to = static_cast<double>(*sorted[high]);
    return from + (place - std::floor(place)) * (to - from);
}

}  // namespace

std::vector<Replay> replay(const std::vector<Truth>& truths, const ReplayOptions& options) {
    std::vector<Replay> all;
    for (std::size_t t = 0; t < truths.size(); ++t) {
        for (const std::size_t plan : options.plans) {
            for (std::size_t m = 0; m < options.methods.size(); ++m) {
                for (std::size_t s = 1; s <= options.seeds; ++s)
                    all.push_back({t, m, plan, s, {}, {}});
            }
        }
    }
    std::mutex mutex;
    std::size_t done = 0;
    parallel_for(all.size(), options.threads, [&](std::size_t i) {
        run(truths[all[i].truth], options.methods[all[i].method], options, all[i]);
        const std::lock_guard lock(mutex);
        if (options.progress) options.progress(++done, all.size());
    });
    return all;
}

Quartiles quartiles(std::vector<std::optional<std::size_t>> counts) {
    assert(!counts.empty());
    // What was not reached is beyond every count.
    std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        return a.has_value() && (!b.has_value() || *a < *b);
    });
    return {quantile(counts, 0.25), quantile(counts, 0.5), quantile(counts, 0.75)};
}

std::vector<ReplaySummary> summarise(const std::vector<Replay>& replays) {
    std::vector<ReplaySummary> list;
    for (std::size_t begin = 0; begin < replays.size();) {
        const Replay& first = replays[begin];
        std::size_t end = begin;
        while (end < replays.size() && replays[end].truth == first.truth &&
               replays[end].method == first.method && replays[end].plan == first.plan) {
            ++end;
        }
        ReplaySummary summary{first.truth, first.method, first.plan, {}};
        for (std::size_t level = 0; level < replay_levels.size(); ++level) {
            std::vector<std::optional<std::size_t>> counts;
            for (std::size_t i = begin; i < end; ++i) counts.push_back(replays[i].reached[level]);
            summary.trials[level] = quartiles(std::move(counts));
        }
        list.push_back(summary);
        begin = end;
    }
    return list;
}

std::vector<Comparison> compare(const std::vector<ReplaySummary>& summaries, std::size_t base,
                                std::size_t level, double least_trials) {
    std::vector<Comparison> list;
    for (const ReplaySummary& one : summaries) {
        auto into = std::find_if(list.begin(), list.end(), [&](const Comparison& c) {
            return c.method == one.method && c.plan == one.plan;
        });
        if (into == list.end()) into = list.insert(list.end(), {one.method, one.plan, {}, {}});
        const auto other =
            std::find_if(summaries.begin(), summaries.end(), [&](const ReplaySummary& s) {
                return s.truth == one.truth && s.plan == one.plan && s.method == base;
            });
        if (other == summaries.end()) continue;
        const std::optional<double> own = one.trials[level].median;
        const std::optional<double> base_median = other->trials[level].median;
        if (!own || !base_median || *base_median < least_trials) continue;
        into->ratio = into->ratio.value_or(0.0) + std::log(*own / *base_median);
        into->counted.push_back(one.truth);
    }
    for (Comparison& c : list) {
        if (c.ratio) c.ratio = std::exp(*c.ratio / static_cast<double>(c.counted.size()));
    }
    return list;
}

}  // namespace memside::tune
