// What the charts show. Every text, unit and colour is decided here; page.js only draws.
#include "report/html_parts.h"
#include "report/json_writer.h"

namespace memside::html {
namespace {

constexpr std::size_t most_bars = 24;   // of results in one chart
constexpr std::size_t most_series = 7;  // colours that remain easy to tell apart, "other" apart

// One colour's worth of a chart. `fill` names a custom property of page.css.
struct Series {
    std::string name;
    std::string fill;
    std::vector<double> values;      // per bar
    std::vector<std::string> texts;  // the same with the unit
};

struct Chart {
    std::string id;
    std::string title;
    std::string subtitle;  // what is drawn and its unit
    std::string axis;
    std::vector<Series> series;
    std::vector<std::string> ends;   // written after each bar
    std::vector<std::string> notes;  // written where there is no bar; empty where there is one
    bool wide = false;
    bool shares = false;     // offer the view where every bar is 100 %
    bool full_mark = false;  // mark 100: what a device holds
    bool highlight = false;  // draw only the best bar in the full colour
};

// "nothing fits" with the two numbers that say why.
std::string note_of(const SimulationResult& result) {
    if (result.batch > 0) return "";
    if (!result.capacity) return "nothing fits";
    const MemoryFill fill = memory_fill(result, *result.capacity);
    return fmt::format("nothing fits: a request takes {} of each {}, {} left",
                       short_bytes(fill.kv_bytes + fill.digest_bytes), result.capacity->device,
                       short_bytes(fill.free_bytes));
}

// The results to draw: all, or the fastest, in their own order.
std::vector<std::size_t> drawn(const Results& results) {
    std::vector<std::size_t> order(results.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (order.size() <= most_bars) return order;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return results[a].throughput_tok_per_s.value_or(0) >
               results[b].throughput_tok_per_s.value_or(0);
    });
    order.resize(most_bars);
    std::sort(order.begin(), order.end());
    return order;
}

class Builder {
  public:
    Builder(const Results& results, std::vector<std::size_t> order)
        : results_(results), order_(std::move(order)) {}

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
            const bool fits = result.batch > 0;
            const double request = fill.kv_bytes + fill.digest_bytes;
            const std::vector<double> bytes{fill.weights_bytes, fits ? fill.kv_bytes : 0,
                                            fits ? fill.digest_bytes : 0,
                                            fits ? fill.free_bytes : 0, fits ? 0 : request};
            double left = longest;
            for (std::size_t s = 0; s < bytes.size(); ++s) {
                const double share =
                    fill.capacity_bytes > 0 ? bytes[s] / fill.capacity_bytes * 100 : 0;
                chart.series[s].values.push_back(std::min(share, left));
                chart.series[s].texts.push_back(short_bytes(bytes[s]));
                left -= chart.series[s].values.back();
            }
            chart.ends.push_back(end_of_memory(result, fill));
            chart.notes[chart.ends.size() - 1] = result.capacity ? "" : note_of(result);
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
        if (result.batch == 0) {
            return fmt::format("needs {} of {}",
                               short_bytes(fill.weights_bytes + fill.kv_bytes + fill.digest_bytes),
                               short_bytes(fill.capacity_bytes));
        }
        const auto requests = result.capacity->requests_per_device;
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
        std::stable_sort(names.begin(), names.end(),
                         [&](const auto& a, const auto& b) { return totals.at(a) > totals.at(b); });
        if (names.size() > most_series) {
            names.resize(most_series);
            other = true;
        }
        if (other) names.emplace_back("other");
        return names;
    }

    const Results& results_;
    std::vector<std::size_t> order_;
};

std::string figure_of(const Chart& chart) {
    std::string legend;
    if (chart.series.size() > 1) {
        legend = "<ul class=\"legend\">";
        for (const Series& series : chart.series) {
            legend += fmt::format("<li><i style=\"background:var({})\"></i>{}</li>", series.fill,
                                  escaped(series.name));
        }
        legend += "</ul>\n";
    }
    const std::string toggle =
        chart.shares ? "<div class=\"toggle\" role=\"group\" aria-label=\"Scale\"><button "
                       "type=\"button\" aria-pressed=\"true\">absolute</button><button "
                       "type=\"button\" aria-pressed=\"false\">share</button></div>\n"
                     : "";
    return fmt::format(
        "<figure class=\"chart{}\" id=\"chart-{}\">\n<figcaption><div><h3>{}</h3><p>{}</p></div>"
        "{}</figcaption>\n{}<div class=\"canvas\"><canvas role=\"img\" aria-label=\"{}: the "
        "figures "
        "are in the comparison above\"></canvas></div>\n</figure>\n",
        chart.wide ? " wide" : "", chart.id, escaped(chart.title), escaped(chart.subtitle), toggle,
        legend, escaped(chart.title));
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
    json.key(key);
    json.begin_array(JsonWriter::Layout::one_line);
    for (const std::string& text : texts) json.value(text);
    json.end_array();
}

void write_chart(JsonWriter& json, const Chart& chart) {
    json.begin_object();
    json.member("id", chart.id);
    json.member("axis", chart.axis);
    json.member("shares", chart.shares);
    json.member("full_mark", chart.full_mark);
    json.member("highlight", chart.highlight);
    write_texts(json, "ends", chart.ends);
    write_texts(json, "notes", chart.notes);
    json.key("series");
    json.begin_array();
    for (const Series& series : chart.series) {
        json.begin_object();
        json.member("name", series.name);
        json.member("fill", series.fill);
        json.key("values");
        json.begin_array(JsonWriter::Layout::one_line);
        for (const double value : series.values) json.value(value);
        json.end_array();
        write_texts(json, "texts", series.texts);
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

std::vector<Chart> all_charts(const Results& results, const Builder& builder) {
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

}  // namespace

Charts charts(const Results& results, const ResultLabels& labels) {
    const std::vector<std::size_t> order = drawn(results);
    const std::vector<Chart> list = all_charts(results, Builder(results, order));

    Charts out;
    out.figures = "<section>\n<h2>Where it goes</h2>\n";
    if (order.size() < results.size()) {
        out.figures += fmt::format("<p class=\"note\">Drawn: the {} fastest of {} results.</p>\n",
                                   order.size(), results.size());
    }
    out.figures +=
        "<noscript><p class=\"note\">The charts need JavaScript; the table above has "
        "their figures.</p></noscript>\n<div class=\"charts\">\n";
    for (const Chart& chart : list) out.figures += figure_of(chart);
    out.figures += "</div>\n</section>\n";
    if (list.empty()) out.figures.clear();

    JsonWriter json;
    json.begin_object();
    json.key("labels");
    json.begin_array();
    for (const std::size_t i : order) {
        json.begin_array(JsonWriter::Layout::one_line);
        json.value(labels.labels[i].main);
        json.value(labels.labels[i].detail);
        json.end_array();
    }
    json.end_array();
    json.key("charts");
    json.begin_array();
    for (const Chart& chart : list) write_chart(json, chart);
    json.end_array();
    json.end_object();
    const std::string text = std::move(json).finish();
    // Inside a JSON string, \u003c is the same character and no markup.
    for (const char c : text) {
        if (c == '<') {
            out.data += "\\u003c";
        } else {
            out.data += c;
        }
    }
    return out;
}

}  // namespace memside::html
