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

// What one pair counted, summed over its steps. Integers: no order of addition to depend on.
struct Counts {
    std::int64_t scanned = 0;
    std::int64_t selected = 0;
    std::int64_t recalled = 0;
    std::int64_t evicted = 0;
    std::int64_t in_pool = 0;
    std::int64_t dropped_out = 0;
};

class PairRun {
  public:
    PairRun(std::unique_ptr<ScoreStream> stream, const SelectionRunOptions& options)
        : stream_(std::move(stream)), options_(options) {}

    Counts run() {
        select_next();
        const std::int64_t kept =
            options_.residency->kept(options_.pool_pages, std::ssize(selected_));
        select_top_pages(scores_, kept, resident_);
        for (std::int64_t step = 0; step < options_.warmup_steps; ++step) (void)take_step();
        Counts total;
        for (std::int64_t step = 0; step < options_.steps; ++step) {
            const Counts counts = take_step();
            total.scanned += counts.scanned;
            total.selected += counts.selected;
            total.recalled += counts.recalled;
            total.evicted += counts.evicted;
            total.in_pool += counts.in_pool;
            total.dropped_out += counts.dropped_out;
        }
        return total;
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
    std::vector<Counts> counts(sample.size());
    parallel_for(sample.size(), options.threads, [&](std::size_t i) {
        auto stream = source.open(sample[i] / options.layers, sample[i] % options.layers);
        counts[i] = PairRun(std::move(stream), options).run();
    });

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
    return result;
}

}  // namespace memside::kv
