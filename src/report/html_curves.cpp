#include "report/html_curves.h"

#include "report/html_parts.h"

namespace memside::html {
namespace {

constexpr auto one_line = JsonWriter::Layout::one_line;

template <typename Series>
std::string legend_of(const std::vector<Series>& series) {
    std::string legend = "<ul class=\"legend\">";
    for (const Series& one : series) {
        legend += fmt::format("<li><i style=\"background:var({})\"></i>{}</li>", one.fill,
                              escaped(one.name));
    }
    return legend + "</ul>\n";
}

std::string figure(std::string_view id, bool wide, const std::string& title,
                   const std::string& subtitle, const std::string& legend,
                   const std::string& described) {
    return fmt::format(
        "<figure class=\"chart{}\" id=\"chart-{}\">\n<figcaption><div><h3>{}</h3><p>{}</p></div>"
        "</figcaption>\n{}<div class=\"canvas\"><canvas role=\"img\" aria-label=\"{}\">"
        "</canvas></div>\n</figure>\n",
        wide ? " wide" : "", id, escaped(title), escaped(subtitle), legend, escaped(described));
}

}  // namespace

std::string figure_of(const XyChart& chart) {
    std::string words = fmt::format("{}, {}.", chart.title, chart.subtitle);
    for (const XySeries& series : chart.series) {
        for (const XyPoint& point : series.points) words += fmt::format(" {}.", point.text);
    }
    return figure(chart.id, chart.wide, chart.title, chart.subtitle, legend_of(chart.series),
                  words);
}

std::string figure_of(const SpanChart& chart) {
    std::string words = fmt::format("{}, {}.", chart.title, chart.subtitle);
    for (const SpanSeries& series : chart.series) {
        double total = 0;
        for (const Span& span : series.spans) total += span.end - span.start;
        words += fmt::format(" {} {} µs.", series.name, memside::figure(total));
    }
    return figure(chart.id, true, chart.title, chart.subtitle, legend_of(chart.series), words);
}

void write_chart(JsonWriter& json, const XyChart& chart) {
    json.begin_object();
    json.member("id", chart.id);
    json.member("x_axis", chart.x_axis);
    json.member("y_axis", chart.y_axis);
    json.member("whole_x", chart.whole_x);
    if (chart.y_range) {
        json.key("y_range");
        json.begin_array(one_line);
        json.value(chart.y_range->first);
        json.value(chart.y_range->second);
        json.end_array();
    }
    json.key("series");
    json.begin_array();
    for (const XySeries& series : chart.series) {
        json.begin_object();
        json.member("name", series.name);
        json.member("fill", series.fill);
        json.member("line", series.line);
        json.member("markers", series.markers);
        json.member("dashed", series.dashed);
        json.key("points");
        json.begin_array();
        for (const XyPoint& point : series.points) {
            json.begin_object(one_line);
            json.member("x", point.x);
            json.member("y", point.y);
            json.member("text", point.text);
            json.member("label", point.label);
            json.end_object();
        }
        json.end_array();
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

void write_chart(JsonWriter& json, const SpanChart& chart) {
    json.begin_object();
    json.member("id", chart.id);
    json.member("end", chart.end);
    json.key("rows");
    json.begin_array(one_line);
    for (const std::string& row : chart.rows) json.value(row);
    json.end_array();
    json.key("series");
    json.begin_array();
    for (const SpanSeries& series : chart.series) {
        json.begin_object();
        json.member("name", series.name);
        json.member("fill", series.fill);
        json.key("spans");
        json.begin_array();
        for (const Span& span : series.spans) {
            json.begin_object(one_line);
            json.member("row", static_cast<std::int64_t>(span.row));
            json.member("start", span.start);
            json.member("end", span.end);
            json.member("text", span.text);
            json.end_object();
        }
        json.end_array();
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

}  // namespace memside::html
