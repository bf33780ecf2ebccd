#include "report/span_charts.h"

#include <cmath>
#include <map>

namespace memside::html {
namespace {

using Results = std::vector<SimulationResult>;

constexpr std::size_t most_charts = 4;
constexpr std::size_t most_colours = 7;

// The fastest of each policy, in the order of the results.
std::vector<std::size_t> shown_results(const Results& results) {
    std::map<std::string, std::size_t> fastest;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i].layer_timeline || results[i].batch == 0) continue;
        const auto [at, is_new] = fastest.try_emplace(results[i].policy, i);
        if (!is_new && results[i].throughput_tok_per_s.value_or(0) >
                           results[at->second].throughput_tok_per_s.value_or(0)) {
            at->second = i;
        }
    }
    std::vector<std::size_t> shown;
    for (const auto& [policy, i] : fastest) shown.push_back(i);
    std::sort(shown.begin(), shown.end());
    if (shown.size() > most_charts) shown.resize(most_charts);
    return shown;
}

// Phases by the time that they take over all that is shown; those beyond the colours share one.
std::vector<std::string> coloured_phases(const Results& results,
                                         const std::vector<std::size_t>& shown) {
    std::map<std::string, double> time;
    for (const std::size_t i : shown) {
        for (const TimelineTask& task : results[i].layer_timeline->tasks) {
            time[task.phase] += task.duration_s;
        }
    }
    std::vector<std::string> names;
    for (const auto& [name, total] : time) names.push_back(name);
    std::stable_sort(names.begin(), names.end(),
                     [&](const auto& a, const auto& b) { return time.at(a) > time.at(b); });
    if (names.size() > most_colours) names.resize(most_colours);
    return names;
}

}  // namespace

std::vector<SpanChart> build_span_charts(const Results& results, const ResultLabels& labels) {
    const std::vector<std::size_t> shown = shown_results(results);
    const std::vector<std::string> phases = coloured_phases(results, shown);
    std::vector<SpanChart> charts;
    for (const std::size_t i : shown) {
        const SimulationResult::LayerTimeline& layer = *results[i].layer_timeline;
        SpanChart chart;
        chart.id = fmt::format("layer{}", charts.size());
        chart.title = "One layer: " + labels.labels[i].line();
        chart.rows = layer.resources;
        std::map<std::string, std::size_t> place;
        for (const TimelineTask& task : layer.tasks) {
            const double end = (task.start_s + task.duration_s) * 1e6;
            if (!std::isfinite(end)) continue;  // beyond any time, from a file
            const auto found = std::find(phases.begin(), phases.end(), task.phase);
            const std::string name = found == phases.end() ? "other" : task.phase;
            const auto [at, is_new] = place.try_emplace(name, chart.series.size());
            if (is_new) {
                chart.series.push_back({name,
                                        found == phases.end()
                                            ? "--other"
                                            : fmt::format("--part{}", found - phases.begin()),
                                        {}});
            }
            chart.series[at->second].spans.push_back(
                {static_cast<std::size_t>(task.resource), task.start_s * 1e6, end,
                 fmt::format("{} ({}): {} µs", task.name, task.phase,
                             figure(task.duration_s * 1e6))});
            chart.end = std::max(chart.end, end);
        }
        chart.subtitle = fmt::format(
            "layer {} of a step in {} µs: one device and one link of every kind; batch {}",
            layer.layer + 1, figure(chart.end), results[i].batch);
        charts.push_back(std::move(chart));
    }
    return charts;
}

}  // namespace memside::html
