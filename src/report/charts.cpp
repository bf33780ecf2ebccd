#include "report/charts.h"

#include <map>

namespace memside::html {
namespace {

using Results = std::vector<SimulationResult>;

constexpr std::size_t most_bars = 24;   // of results in one chart
constexpr std::size_t most_series = 7;  // colours that remain easy to tell apart, "other" apart

// In place of a bar of a result that has no such figures.
constexpr const char* no_figures = "not modelled";

// A request that would fit alone, of a batch that does not.
bool one_fits(const MemoryFill& fill) {
    return fill.weights_fit() && fill.request_bytes() <= fill.free_bytes;
}

// "nothing fits" with the two numbers that say why.
std::string note_of(const SimulationResult& result) {
    if (result.batch > 0) return "";
    if (!result.capacity) return "nothing fits";
    const MemoryFill fill = memory_fill(result, *result.capacity);
    const std::string& device = result.capacity->device;
    if (!fill.weights_fit()) {
        return fmt::format("nothing fits: the weights take {} of each {}, which has {}",
                           short_bytes(fill.weights_bytes), device,
                           short_bytes(fill.capacity_bytes));
    }
    const std::string request = short_bytes(fill.request_bytes());
    const std::string left = short_bytes(fill.free_bytes);
    if (one_fits(fill)) {
        return fmt::format(
            "the batch does not fit: a request takes {} of a {}, which has {} for all", request,
            device, left);
    }
    return fmt::format("nothing fits: a request takes {} of each {}, {} left", request, device,
                       left);
}

class Builder {
  public:
    Builder(const Results& results, std::vector<std::size_t> order, bool long_labels)
        : results_(results), order_(std::move(order)), long_labels_(long_labels) {}

    // One bar per result of a single value.
    Chart single(std::string id, std::string title, std::string subtitle, std::string axis,
                 double (*value)(const SimulationResult&)) const {
        Chart chart = start(std::move(id), std::move(title), std::move(subtitle), std::move(axis));
        Series series{.name = chart.title, .fill = "--accent", .values = {}, .texts = {}};
        for (const std::size_t i : order_) {
            series.values.push_back(value(results_[i]));
            series.texts.push_back(figure(series.values.back()) + " " + chart.axis);
            chart.ends.push_back(results_[i].batch > 0 ? figure(series.values.back()) : "");
        }
        chart.series.push_back(std::move(series));
        chart.highlight = order_.size() > 1;
        chart.wide = long_labels_;
        return chart;
    }

    // One bar per result, stacked of named parts that sum to a whole. The parts that are largest
    // over all results have a colour each, the rest is "other".
    Chart stacked(std::string id, std::string title, std::string subtitle, std::string axis,
                  std::vector<std::pair<std::string, double>> (*parts)(const SimulationResult&),
                  std::string unit) const {
        Chart chart = start(std::move(id), std::move(title), std::move(subtitle), std::move(axis));
        const std::vector<std::string> names = largest_names(parts);
        for (std::size_t s = 0; s < names.size(); ++s) {
            chart.series.push_back({names[s],
                                    names[s] == "other" ? "--other" : fmt::format("--part{}", s),
                                    std::vector<double>(order_.size(), 0),
                                    {}});
        }
        for (std::size_t bar = 0; bar < order_.size(); ++bar) {
            double whole = 0;
            for (const auto& [name, value] : parts(results_[order_[bar]])) {
                const auto at = std::find(names.begin(), names.end(), name);
                const auto s = at == names.end() ? names.size() - 1
                                                 : static_cast<std::size_t>(at - names.begin());
                chart.series[s].values[bar] += value;
                whole += value;
            }
            chart.ends.push_back(whole > 0 ? figure(whole) + " " + unit : "");
            if (whole <= 0 && chart.notes[bar].empty()) chart.notes[bar] = no_figures;
        }
        for (Series& series : chart.series) {
            for (const double value : series.values) {
                series.texts.push_back(figure(value) + " " + unit);
            }
        }
        chart.shares = true;
        chart.wide = true;
        return chart;
    }

    // How full one device is, in percent of what it holds. What does not fit goes beyond 100.
    Chart memory() const {
        Chart chart = start("memory", "Memory of one device",
                            "percent of what the device that is full first holds", "%");
        constexpr double longest =
            180;  // a bar that goes on beyond is cut: its text has the number
        chart.series = {{"weights", "--part6", {}, {}},
                        {"KV", "--part0", {}, {}},
                        {"digests", "--part4", {}, {}},
                        {"free", "--free", {}, {}},
                        {"one request that does not fit", "--alarm", {}, {}}};
        for (const std::size_t i : order_) {
            const SimulationResult& result = results_[i];
            const MemoryFill fill =
                result.capacity ? memory_fill(result, *result.capacity) : MemoryFill{};
            const bool fits = result.batch > 0 || one_fits(fill);
            const double request = fill.request_bytes();
            const double free = fill.free_bytes - (result.batch > 0 ? 0 : request);
            const std::vector<double> bytes{fill.weights_bytes, fits ? fill.kv_bytes : 0,
                                            fits ? fill.digest_bytes : 0, fits ? free : 0,
                                            fits ? 0 : request};
            double left = longest;
            for (std::size_t s = 0; s < bytes.size(); ++s) {
                const double share =
                    fill.capacity_bytes > 0 ? bytes[s] / fill.capacity_bytes * 100 : 0;
                chart.series[s].values.push_back(std::min(share, left));
                chart.series[s].texts.push_back(short_bytes(bytes[s]));
                left -= chart.series[s].values.back();
            }
            chart.ends.push_back(end_of_memory(result, fill));
            std::string& note = chart.notes[chart.ends.size() - 1];
            if (result.capacity) {
                note.clear();  // its bar shows what does not fit
            } else if (note.empty()) {
                note = no_figures;
            }
        }
        std::erase_if(chart.series, [](const Series& series) {
            return std::all_of(series.values.begin(), series.values.end(),
                               [](double value) { return value == 0; });
        });
        chart.wide = true;
        chart.full_mark = true;
        return chart;
    }

  private:
    Chart start(std::string id, std::string title, std::string subtitle, std::string axis) const {
        Chart chart;
        chart.id = std::move(id);
        chart.title = std::move(title);
        chart.subtitle = std::move(subtitle);
        chart.axis = std::move(axis);
        for (const std::size_t i : order_) chart.notes.push_back(note_of(results_[i]));
        return chart;
    }

    static std::string end_of_memory(const SimulationResult& result, const MemoryFill& fill) {
        if (!result.capacity) return "";
        if (result.batch == 0 && !one_fits(fill)) {
            return fmt::format("needs {} of {}",
                               short_bytes(fill.weights_bytes + fill.request_bytes()),
                               short_bytes(fill.capacity_bytes));
        }
        const auto requests = result.batch == 0 ? 1 : result.capacity->requests_per_device;
        return fmt::format("{} request{}, {}", requests, requests == 1 ? "" : "s",
                           short_bytes(fill.capacity_bytes));
    }

    std::vector<std::string> largest_names(
        std::vector<std::pair<std::string, double>> (*parts)(const SimulationResult&)) const {
        std::map<std::string, double> totals;
        for (const std::size_t i : order_) {
            for (const auto& [name, value] : parts(results_[i])) totals[name] += value;
        }
        std::vector<std::string> names;
        bool other = totals.erase("other") > 0;
        for (const auto& [name, total] : totals) names.push_back(name);
        std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
            return totals.at(a) != totals.at(b) ? totals.at(a) > totals.at(b) : a < b;
        });
        if (names.size() > most_series) {
            names.resize(most_series);
            other = true;
        }
        if (other) names.emplace_back("other");
        return names;
    }

    const Results& results_;
    std::vector<std::size_t> order_;
    bool long_labels_;  // too long for two charts side by side
};

}  // namespace

std::vector<std::size_t> drawn_results(const Results& results) {
    std::vector<std::size_t> order(results.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (order.size() <= most_bars) return order;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const double speed_a = results[a].throughput_tok_per_s.value_or(0);
        const double speed_b = results[b].throughput_tok_per_s.value_or(0);
        return speed_a != speed_b ? speed_a > speed_b : a < b;
    });
    order.resize(most_bars);
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<Chart> build_charts(const Results& results, const ResultLabels& labels,
                                const std::vector<std::size_t>& order) {
    constexpr std::size_t short_label = 26;  // bytes: what page.js shows in a chart of half width
    const bool long_labels = std::any_of(order.begin(), order.end(), [&](std::size_t i) {
        return labels.labels[i].detail.size() > short_label;
    });
    const Builder builder(results, order, long_labels);
    const auto any = [&](const auto& has) {
        return std::any_of(results.begin(), results.end(), has);
    };
    using R = SimulationResult;
    std::vector<Chart> charts;
    // A single bar says no more than its card does.
    if (results.size() > 1 && any([](const R& r) { return r.throughput_tok_per_s.has_value(); })) {
        charts.push_back(builder.single(
            "throughput", "Throughput", "tokens per second, all requests together", "tok/s",
            [](const R& r) { return r.batch > 0 ? r.throughput_tok_per_s.value_or(0) : 0; }));
    }
    if (results.size() > 1 && any([](const R& r) { return r.batch > 0; })) {
        charts.push_back(builder.single("batch", "Batch", "requests decoded together", "requests",
                                        [](const R& r) { return static_cast<double>(r.batch); }));
    }
    if (any([](const R& r) { return !r.phases.empty(); })) {
        charts.push_back(builder.stacked(
            "phases", "Time of one step by phase",
            "milliseconds on the critical path; every request gets one token per step", "ms",
            [](const R& r) {
                std::vector<std::pair<std::string, double>> parts;
                for (const PhaseTime& p : r.phases) parts.emplace_back(p.name, p.time_s * 1e3);
                return parts;
            },
            "ms"));
    }
    if (any([](const R& r) { return !r.prefill.empty(); })) {
        charts.push_back(builder.stacked(
            "prefill", "Time to the first token by phase",
            "seconds on the critical path of one request that is prefilled alone", "s",
            [](const R& r) {
                std::vector<std::pair<std::string, double>> parts;
                for (const PhaseTime& p : r.prefill) parts.emplace_back(p.name, p.time_s);
                return parts;
            },
            "s"));
    }
    if (any([](const R& r) { return r.capacity.has_value(); })) charts.push_back(builder.memory());
    if (any([](const R& r) { return !r.energy.empty(); })) {
        charts.push_back(builder.stacked(
            "energy", "Energy of one token by part", "joules, all devices", "J",
            [](const R& r) {
                std::vector<std::pair<std::string, double>> parts;
                for (const EnergyShare& e : r.energy) parts.emplace_back(e.name, e.j_per_token);
                return parts;
            },
            "J"));
    }
    return charts;
}

}  // namespace memside::html
