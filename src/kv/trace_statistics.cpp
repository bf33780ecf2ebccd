#include "kv/trace_statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/parallel.h"
#include "kv/selection.h"

namespace memside::kv {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

double share(double part, double all) {
    return all > 0.0 ? part / all : 0.0;
}

using Steps = std::vector<std::vector<float>>;  // [steps][pages]

Steps read_steps(const ScoreSource& source, StreamId id, TraceWindow window) {
    auto stream = source.open(id.request, id.layer);
    for (std::int64_t step = 0; step < window.first_step; ++step) (void)stream->next();
    Steps steps;
    for (std::int64_t step = 0; step < window.steps; ++step) {
        const auto scores = stream->next();
        steps.emplace_back(scores.begin(), scores.end());
    }
    return steps;
}

// The older half of the pages at the first step without page 0: [first, last).
struct OldPages {
    std::size_t first;
    std::size_t last;

    explicit OldPages(std::size_t pages) : first(pages > 2 ? 1 : 0), last((pages + 1) / 2) {}
    double count() const { return static_cast<double>(last - first); }
};

void add_moments(const Steps& steps, TraceStatistics& result) {
    const OldPages old(steps.front().size());
    std::vector<std::vector<double>> centred(steps.size());
    double variance = 0.0;
    double third = 0.0;
    double fourth = 0.0;
    std::size_t levels = 0;
    while ((std::size_t{1} << levels) <= steps.front().size() / 2) ++levels;
    result.recency.assign(levels, 0.0);
    for (std::size_t t = 0; t < steps.size(); ++t) {
        const std::vector<float>& scores = steps[t];
        double sum = 0.0;
        for (std::size_t page = old.first; page < old.last; ++page) sum += double{scores[page]};
        const double mean = sum / old.count();
        for (std::size_t page = old.first; page < old.last; ++page) {
            const double value = double{scores[page]} - mean;
            centred[t].push_back(value);
            variance += value * value;
            third += value * value * value;
            fourth += value * value * value * value;
        }
        result.sink_excess += double{scores.front()} - mean;
        // Level i holds ages from 2^(i-1) to below 2^i, level 0 the newest page.
        for (std::size_t level = 0; level < levels; ++level) {
            const std::size_t from = level == 0 ? 0 : std::size_t{1} << (level - 1);
            const std::size_t to = std::size_t{1} << level;
            double level_sum = 0.0;
            for (std::size_t age = from; age < to; ++age) {
                level_sum += double{scores[scores.size() - 1 - age]} - mean;
            }
            result.recency[level] += level_sum / static_cast<double>(to - from);
        }
    }
    const auto count = static_cast<double>(steps.size());
    const double values = count * old.count();
    variance /= values;
    result.sigma = std::sqrt(variance);
    result.skewness = share(third / values, variance * result.sigma);
    result.kurtosis = share(fourth / values, variance * variance);
    result.sink_excess /= count;
    for (double& excess : result.recency) excess /= count;
    for (std::size_t i = 0; i < correlation_lags.size(); ++i) {
        const std::size_t lag = index(correlation_lags[i]);
        if (lag >= steps.size()) continue;
        double products = 0.0;
        double squares_before = 0.0;
        double squares_after = 0.0;
        for (std::size_t t = 0; t + lag < steps.size(); ++t) {
            for (std::size_t page = 0; page < centred[t].size(); ++page) {
                const double before = centred[t][page];
                const double after = centred[t + lag][page];
                products += before * after;
                squares_before += before * before;
                squares_after += after * after;
            }
        }
        result.correlation[i] = share(products, std::sqrt(squares_before * squares_after));
    }
}

// In how many steps from each on, that one included, a page is in without a break.
using Stays = std::vector<std::vector<std::int32_t>>;  // [steps][pages]

Stays stays_of(const std::vector<PageList>& selected, const Steps& steps) {
    Stays stays(steps.size());
    for (std::size_t t = steps.size(); t-- > 0;) {
        stays[t].assign(steps[t].size(), 0);
        for (const PageIndex page : selected[t]) {
            stays[t][page] = 1 + (t + 1 < steps.size() ? stays[t + 1][page] : 0);
        }
    }
    return stays;
}

void add_lifetimes(const Stays& stays, BudgetStatistics& result) {
    const std::size_t steps = stays.size();
    std::vector<std::int64_t> ended(steps + 1, 0);     // by length
    std::vector<std::int64_t> censored(steps + 1, 0);  // by the length that was seen
    for (std::size_t t = 1; t < steps; ++t) {
        for (std::size_t page = 0; page < stays[t].size(); ++page) {
            const bool before = page < stays[t - 1].size() && stays[t - 1][page] > 0;
            if (stays[t][page] == 0 || before) continue;
            const auto length = index(stays[t][page]);
            ++(t + length == steps ? censored : ended)[length];
        }
    }
    std::int64_t at_risk = 0;
    for (std::size_t length = 1; length <= steps; ++length) {
        at_risk += ended[length] + censored[length];
    }
    double survival = 1.0;
    std::size_t next = 0;
    for (std::size_t age = 1; age <= steps && next < lifetime_ages.size(); ++age) {
        at_risk -= censored[age];
        if (at_risk > 0) {
            survival *= 1.0 - static_cast<double>(ended[age]) / static_cast<double>(at_risk);
        }
        at_risk -= ended[age];
        if (index(lifetime_ages[next]) == age) result.outlives[next++] = survival;
    }
}

double mass_of(const std::vector<float>& scores, const PageList& selected) {
    const auto largest = double{*std::ranges::max_element(scores)};
    double all = 0.0;
    for (const float score : scores) all += std::exp(double{score} - largest);
    double part = 0.0;
    for (const PageIndex page : selected) part += std::exp(double{scores[page]} - largest);
    return part / all;
}

BudgetStatistics of_budget(const Steps& steps, std::int64_t budget) {
    BudgetStatistics result;
    result.budget_pages = budget;
    std::vector<PageList> selected(steps.size());
    double sinks = 0.0;
    double newest = 0.0;
    for (std::size_t t = 0; t < steps.size(); ++t) {
        select_top_pages(steps[t], budget, selected[t]);
        result.mass += mass_of(steps[t], selected[t]);
        sinks += selected[t].front() == 0 ? 1.0 : 0.0;
        const auto pages = std::ssize(steps[t]);
        const std::int64_t first = std::max<std::int64_t>(pages - newest_pages, 0);
        const auto recent = std::ranges::count_if(
            selected[t], [&](PageIndex page) { return std::int64_t{page} >= first; });
        newest += static_cast<double>(recent) / static_cast<double>(pages - first);
    }
    const auto count = static_cast<double>(steps.size());
    result.mass /= count;
    result.sink_selected = sinks / count;
    result.newest_selected = newest / count;

    const Stays stays = stays_of(selected, steps);
    double before = 0.0;
    double dropped = 0.0;
    double ahead = 0.0;
    double steady = 0.0;
    double again = 0.0;
    double settled = 0.0;
    double unsettled = 0.0;
    std::vector<std::int64_t> age(steps.back().size(), 0);  // steps in the set without a break
    for (std::size_t t = 0; t + 1 < steps.size(); ++t) {
        const std::size_t later = t + index(steady_steps);
        for (std::size_t page = 0; page < stays[t].size(); ++page) {
            age[page] = stays[t][page] > 0 ? age[page] + 1 : 0;
        }
        for (const PageIndex page : selected[t]) {
            before += 1.0;
            if (age[page] >= settled_steps) {
                settled += 1.0;
                unsettled += stays[t][page] == 1 ? 1.0 : 0.0;
            }
            dropped += stays[t][page] == 1 ? 1.0 : 0.0;
            if (later >= steps.size()) continue;
            ahead += 1.0;
            steady += stays[t][page] > steady_steps ? 1.0 : 0.0;
            again += stays[later][page] > 0 ? 1.0 : 0.0;
        }
    }
    result.drop_out_rate = share(dropped, before);
    result.steady_share = share(steady, ahead);
    result.overlap = share(again, ahead);
    result.settled_drop_out = share(unsettled, settled);
    add_lifetimes(stays, result);
    return result;
}

}  // namespace

std::vector<TraceStatistics> trace_statistics(const ScoreSource& source,
                                              const std::vector<StreamId>& streams,
                                              TraceWindow window,
                                              const std::vector<std::int64_t>& budget_pages,
                                              unsigned threads) {
    assert(window.steps >= 2 && window.first_step + window.steps <= source.extent().steps);
    std::vector<TraceStatistics> result(streams.size());
    parallel_for(streams.size(), threads, [&](std::size_t i) {
        const Steps steps = read_steps(source, streams[i], window);
        TraceStatistics& own = result[i];
        own.streams = 1;
        own.steps = window.steps;
        own.pages = std::ssize(steps.front());
        add_moments(steps, own);
        for (const std::int64_t budget : budget_pages) {
            own.budgets.push_back(of_budget(steps, budget));
        }
    });
    return result;
}

TraceStatistics mean_statistics(const std::vector<TraceStatistics>& streams) {
    assert(!streams.empty());
    TraceStatistics mean = streams.front();
    mean.streams = 0;
    const double part = 1.0 / static_cast<double>(streams.size());
    const auto add = [&](double& to, double value) { to += part * value; };
    for (double* member : {&mean.sigma, &mean.skewness, &mean.kurtosis, &mean.sink_excess}) {
        *member = 0.0;
    }
    mean.correlation = {};
    std::ranges::fill(mean.recency, 0.0);
    for (BudgetStatistics& budget : mean.budgets) budget = {budget.budget_pages};
    for (const TraceStatistics& one : streams) {
        mean.streams += one.streams;
        add(mean.sigma, one.sigma);
        add(mean.skewness, one.skewness);
        add(mean.kurtosis, one.kurtosis);
        add(mean.sink_excess, one.sink_excess);
        for (std::size_t i = 0; i < mean.correlation.size(); ++i) {
            add(mean.correlation[i], one.correlation[i]);
        }
        for (std::size_t i = 0; i < mean.recency.size(); ++i) add(mean.recency[i], one.recency[i]);
        for (std::size_t b = 0; b < mean.budgets.size(); ++b) {
            BudgetStatistics& to = mean.budgets[b];
            const BudgetStatistics& from = one.budgets[b];
            add(to.drop_out_rate, from.drop_out_rate);
            add(to.steady_share, from.steady_share);
            add(to.overlap, from.overlap);
            add(to.settled_drop_out, from.settled_drop_out);
            add(to.mass, from.mass);
            add(to.sink_selected, from.sink_selected);
            add(to.newest_selected, from.newest_selected);
            for (std::size_t i = 0; i < to.outlives.size(); ++i) {
                add(to.outlives[i], from.outlives[i]);
            }
        }
    }
    mean.drop_out_spread = 0.0;
    if (streams.size() > 1 && !mean.budgets.empty()) {
        double squares = 0.0;
        const double centre = mean.budgets.front().drop_out_rate;
        for (const TraceStatistics& one : streams) {
            const double difference = one.budgets.front().drop_out_rate - centre;
            squares += difference * difference;
        }
        mean.drop_out_spread =
            share(std::sqrt(squares / static_cast<double>(streams.size() - 1)), centre);
    }
    return mean;
}

std::vector<StreamId> all_streams(std::int64_t requests, std::int64_t layers) {
    std::vector<StreamId> streams;
    for (std::int64_t request = 0; request < requests; ++request) {
        for (std::int64_t layer = 0; layer < layers; ++layer) streams.push_back({request, layer});
    }
    return streams;
}

}  // namespace memside::kv
