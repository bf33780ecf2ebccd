// The charts' places in the page, and the data that page.js draws from.
#include "report/charts.h"
#include "report/html_curves.h"
#include "report/html_parts.h"
#include "report/json_writer.h"

namespace memside::html {
namespace {

// The chart in words, for who cannot see it.
std::string described(const Chart& chart, const BarLabels& shared) {
    const BarLabels& labels = chart.labels.empty() ? shared : chart.labels;
    std::string out = fmt::format("{}, {}.", chart.title, chart.subtitle);
    for (std::size_t bar = 0; bar < labels.size(); ++bar) {
        out += fmt::format(" {}, {}: ", labels[bar].first, labels[bar].second);
        if (!chart.notes[bar].empty()) {
            out += chart.notes[bar] + ".";
            continue;
        }
        std::vector<std::string> parts;
        for (const Series& series : chart.series) {
            if (series.values[bar] > 0) parts.push_back(series.name + " " + series.texts[bar]);
        }
        out += fmt::format("{} ({}).", chart.ends[bar], fmt::join(parts, ", "));
    }
    return out;
}

std::string figure_of(const Chart& chart, const BarLabels& labels) {
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
        "{}</figcaption>\n{}<div class=\"canvas\"><canvas role=\"img\" aria-label=\"{}\">"
        "</canvas></div>\n</figure>\n",
        chart.wide ? " wide" : "", chart.id, escaped(chart.title), escaped(chart.subtitle), toggle,
        legend, escaped(described(chart, labels)));
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
    json.key(key);
    json.begin_array(JsonWriter::Layout::one_line);
    for (const std::string& text : texts) json.value(text);
    json.end_array();
}

void write_labels(JsonWriter& json, const BarLabels& labels) {
    json.key("labels");
    json.begin_array();
    for (const auto& [main, detail] : labels) {
        json.begin_array(JsonWriter::Layout::one_line);
        json.value(main);
        json.value(detail);
        json.end_array();
    }
    json.end_array();
}

void write_chart(JsonWriter& json, const Chart& chart) {
    json.begin_object();
    json.member("id", chart.id);
    json.member("axis", chart.axis);
    json.member("shares", chart.shares);
    json.member("full_mark", chart.full_mark);
    json.member("highlight", chart.highlight);
    if (!chart.labels.empty()) write_labels(json, chart.labels);
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

}  // namespace

Charts charts(const Results& results, const ResultLabels& labels) {
    const std::vector<std::size_t> order = drawn_results(results);
    const std::vector<Chart> list = build_charts(results, labels, order);
    BarLabels bars;
    for (const std::size_t i : order) {
        bars.emplace_back(labels.labels[i].main, labels.labels[i].detail);
    }
    std::string note;
    if (order.size() < results.size()) {
        note = fmt::format("Drawn: the {} fastest of {} results.", order.size(), results.size());
    }
    return draw_charts(list, bars, "Where it goes", note, build_xy_charts(results, labels, order),
                       build_span_charts(results, labels));
}

Charts draw_charts(const std::vector<Chart>& list, const BarLabels& labels,
                   std::string_view heading, const std::string& note,
                   const std::vector<XyChart>& xy, const std::vector<SpanChart>& spans) {
    Charts out;
    out.figures = fmt::format("<section>\n<h2>{}</h2>\n", heading);
    if (!note.empty()) out.figures += fmt::format("<p class=\"note\">{}</p>\n", note);
    out.figures +=
        "<noscript><p class=\"note\">The charts need JavaScript; the JSON output "
        "has their figures.</p></noscript>\n<div class=\"charts\">\n";
    for (const Chart& chart : list) out.figures += figure_of(chart, labels);
    for (const XyChart& chart : xy) out.figures += figure_of(chart);
    for (const SpanChart& chart : spans) out.figures += figure_of(chart);
    out.figures += "</div>\n</section>\n";
    if (list.empty() && xy.empty() && spans.empty()) out.figures.clear();

    JsonWriter json;
    json.begin_object();
    write_labels(json, labels);
    json.key("charts");
    json.begin_array();
    for (const Chart& chart : list) write_chart(json, chart);
    json.end_array();
    json.key("xy");
    json.begin_array();
    for (const XyChart& chart : xy) write_chart(json, chart);
    json.end_array();
    json.key("spans");
    json.begin_array();
    for (const SpanChart& chart : spans) write_chart(json, chart);
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
