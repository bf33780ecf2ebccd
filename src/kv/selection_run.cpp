#include "kv/selection_run.h"

#include <array>
#include <cassert>
#include <cmath>
#include <set>

#include "base/parallel.h"
#include "kv/counter_random.h"
#include "kv/layout.h"

namespace memside::kv {
namespace {

// What one pair counted. Integers: no order of addition to depend on.
struct Counts {
    std::int64_t scanned = 0;
    std::int64_t selected = 0;
    std::int64_t recalled = 0;
    std::int64_t evicted = 0;
    std::int64_t in_pool = 0;
    std::int64_t dropped_out = 0;

    Counts& operator+=(const Counts& other) {
        scanned += other.scanned;
        selected += other.selected;
        recalled += other.recalled;
        evicted += other.evicted;
        in_pool += other.in_pool;
        dropped_out += other.dropped_out;
        return *this;
    }
};

class PairRun {
  public:
    PairRun(std::unique_ptr<ScoreStream> stream, const SelectionRunOptions& options)
        : stream_(std::move(stream)), options_(options) {}

    // The counts of every step after the warm-up.
    std::vector<Counts> run() {
        select_next();
        const std::int64_t kept =
            options_.residency->kept(options_.pool_pages, std::ssize(selected_));
        select_top_pages(scores_, kept, resident_);
        for (std::int64_t step = 0; step < options_.warmup_steps; ++step) (void)take_step();
        std::vector<Counts> steps;
        for (std::int64_t step = 0; step < options_.steps; ++step) steps.push_back(take_step());
        return steps;
    }

  private:
    void select_next() {
        const std::span<const float> next = stream_->next();
        scores_.assign(next.begin(), next.end());
        pin_pages(scores_, options_.pinned);
        select_top_pages(scores_, options_.budget_pages, selected_);
    }

    Counts take_step() {
        std::swap(before_, selected_);
        select_next();
        if (!options_.pool_keeps_pages) resident_.clear();
        const ResidencyChange change =
            options_.residency->change(scores_, selected_, resident_, options_.pool_pages);
        if (!change.recalled.empty()) resident_ = resident_after(resident_, change);
        Counts counts;
        counts.scanned = std::ssize(scores_);
        counts.selected = std::ssize(selected_);
        counts.recalled = std::ssize(change.recalled);
        counts.evicted = std::ssize(change.evicted);
        counts.in_pool = counts.selected - count_without(selected_, resident_);
        counts.dropped_out = count_without(before_, selected_);
        return counts;
    }

    std::unique_ptr<ScoreStream> stream_;
    const SelectionRunOptions& options_;
    std::vector<float> scores_;  // [pages], pins applied
    PageList selected_;
    PageList before_;  // the selection of the step before
    PageList resident_;
};

// By step, over the pairs.
std::vector<StepMeans> step_means(const std::vector<std::vector<Counts>>& by_pair,
                                  std::int64_t steps) {
    std::vector<StepMeans> means(static_cast<std::size_t>(steps));
    const auto pairs = static_cast<double>(by_pair.size());
    for (std::size_t step = 0; step < means.size(); ++step) {
        Counts sum;
        for (const std::vector<Counts>& pair : by_pair) sum += pair[step];
        means[step] = {static_cast<double>(sum.selected) / pairs,
                       static_cast<double>(sum.recalled) / pairs,
                       static_cast<double>(sum.dropped_out) / pairs};
    }
    return means;
}

// `counts`: of each pair, summed over `steps`.
Estimate estimate(const std::vector<Counts>& counts, std::int64_t Counts::* member,
                  std::int64_t steps, std::int64_t population) {
    const auto pairs = static_cast<double>(counts.size());
    std::int64_t sum = 0;
    for (const Counts& count : counts) sum += count.*member;
    Estimate result;
    result.mean = static_cast<double>(sum) / pairs / static_cast<double>(steps);
    if (std::ssize(counts) == population) {
        result.standard_error = 0.0;
    } else if (counts.size() > 1) {
        double squares = 0.0;
        for (const Counts& count : counts) {
            const double deviation =
                static_cast<double>(count.*member) / static_cast<double>(steps) - result.mean;
            squares += deviation * deviation;
        }
        const double variance = squares / (pairs - 1.0);
        const double unseen = 1.0 - pairs / static_cast<double>(population);
        result.standard_error = std::sqrt(variance / pairs * unseen);
    }
    return result;
}

Status check(const ScoreExtent& extent, const SelectionRunOptions& options) {
    struct Need {
        std::string_view what;
        std::int64_t needed;
        std::int64_t available;
    };
    const std::int64_t steps = 1 + options.warmup_steps + options.steps;
    for (const auto& [what, needed, available] :
         {Need{"requests", options.requests, extent.requests},
          Need{"layers", options.layers, extent.layers}, Need{"steps", steps, extent.steps}}) {
        if (needed > available) {
            return bad_input("--scores",
                             fmt::format("{} {} are needed; allowed: at most the {} that "
                                         "the scores have",
                                         needed, what, available));
        }
    }
    return {};
}

}  // namespace

std::vector<std::int64_t> draw_sample(std::int64_t population, std::int64_t count,
                                      std::uint64_t seed) {
    assert(population >= 0 && count >= 0);
    if (count == 0 || count > population) count = population;
    // Floyd's method: `count` draws, no list of the population.
    std::set<std::int64_t> sample;
    const std::uint64_t key = key_of({seed, 0x5A3B1E});
    for (std::int64_t last = population - count; last < population; ++last) {
        const std::uint64_t bits = random_bits(key, static_cast<std::uint64_t>(last));
        const auto drawn = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(last + 1));
        sample.insert(sample.contains(drawn) ? last : drawn);
    }
    return {sample.begin(), sample.end()};
}

Result<SelectionRunResult> run_selection(const ScoreSource& source,
                                         const SelectionRunOptions& options) {
    assert(options.requests >= 1 && options.layers >= 1 && options.steps >= 1);
    assert(options.warmup_steps >= 0 && options.budget_pages >= 1);
    assert(options.pinned.sink + options.pinned.recent <= options.budget_pages);
    const ScoreExtent extent = source.extent();
    MEMSIDE_CHECK(check(extent, options));
    const std::int64_t last_context = extent.context_tokens + options.warmup_steps + options.steps;
    const std::int64_t most_selected =
        std::min(options.budget_pages, page_count(last_context, extent.page_tokens));
    if (options.residency->change == recall_change && options.pool_pages < most_selected) {
        return Error{"",
                     fmt::format("a pool of {} pages per request and layer cannot hold the {} "
                                 "pages of the budget, all of which recall needs resident",
                                 options.pool_pages, most_selected),
                     Error::Kind::infeasible};
    }

    const std::int64_t population = options.requests * options.layers;
    const std::vector<std::int64_t> sample =
        draw_sample(population, options.sample_pairs, options.seed);
    std::vector<std::vector<Counts>> by_pair(sample.size());
    parallel_for(sample.size(), options.threads, [&](std::size_t i) {
        auto stream = source.open(sample[i] / options.layers, sample[i] % options.layers);
        by_pair[i] = PairRun(std::move(stream), options).run();
    });
    std::vector<Counts> counts(sample.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        for (const Counts& step : by_pair[i]) counts[i] += step;
    }

    const auto mean = [&](std::int64_t Counts::* member) {
        return estimate(counts, member, options.steps, population);
    };
    SelectionRunResult result;
    result.scanned = mean(&Counts::scanned);
    result.selected = mean(&Counts::selected);
    result.recalled = mean(&Counts::recalled);
    result.evicted = mean(&Counts::evicted);
    result.in_pool = mean(&Counts::in_pool);
    result.dropped_out = mean(&Counts::dropped_out);
    result.pairs = std::ssize(sample);
    result.by_step = step_means(by_pair, options.steps);
    return result;
}

}  // namespace memside::kv
