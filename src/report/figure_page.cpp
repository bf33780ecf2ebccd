#include "report/figure_page.h"

#include "report/html_parts.h"

namespace memside {

std::string figure_table(const FigureTable& table) {
    std::string out = fmt::format("<section>\n<h2>{}</h2>\n", html::escaped(table.heading));
    if (!table.note.empty()) {
        out += fmt::format("<p class=\"note\">{}</p>\n", html::escaped(table.note));
    }
    const auto cell = [&](const char* tag, std::size_t column, const std::string& text) {
        const bool number = column < table.numeric.size() && table.numeric[column];
        return fmt::format("<{0}{1}>{2}</{0}>", tag, number ? " class=\"number\"" : "",
                           text.empty() ? "<span class=\"none\">-</span>" : html::escaped(text));
    };
    out += "<div class=\"scroll\"><table>\n<thead><tr>";
    for (std::size_t c = 0; c < table.heads.size(); ++c) out += cell("th", c, table.heads[c]);
    out += "</tr></thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
        out += "<tr>";
        for (std::size_t c = 0; c < row.size(); ++c) out += cell("td", c, row[c]);
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n</section>\n";
}

std::string figure_page(const FigurePage& page) {
    const html::Charts charts =
        html::draw_charts(page.charts, {}, page.charts_heading, "", page.xy_charts);
    std::string body;
    for (const std::string& note : page.notes) {
        if (!note.empty()) {
            body += fmt::format("<p class=\"note\">{}</p>\n", html::escaped(note));
        }
    }
    body += charts.figures;
    for (const FigureTable& table : page.tables) body += figure_table(table);
    const ResultLabels labels = label_results(page.results);
    body += html::assumptions(page.results, labels);
    body += html::constants(page.results, labels);
    body += html::reproduce(page.results, page.command);
    return html::whole_page(page.title, page.lede, body, charts.data);
}

html::Chart figure_chart(std::string id, std::string title, std::string subtitle, std::string unit,
                         double scale, std::vector<std::pair<std::string, std::string>> labels,
                         const std::vector<FigureSeries>& series, const std::string& note) {
    html::Chart chart;
    chart.id = std::move(id);
    chart.title = std::move(title);
    chart.subtitle = std::move(subtitle);
    chart.axis = std::move(unit);
    chart.wide = true;
    chart.labels = std::move(labels);
    const std::size_t bars = chart.labels.size();
    std::vector<double> whole(bars, 0.0);
    std::vector<bool> has(bars, false);
    for (std::size_t s = 0; s < series.size(); ++s) {
        html::Series drawn;
        drawn.name = series[s].name;
        drawn.fill = !series[s].fill.empty() ? series[s].fill
                     : series.size() == 1    ? "--accent"
                                             : fmt::format("--part{}", s % 7);
        for (std::size_t bar = 0; bar < bars; ++bar) {
            const std::optional<double>& value = series[s].values[bar];
            has[bar] = has[bar] || value.has_value();
            drawn.values.push_back(value.value_or(0.0) * scale);
            whole[bar] += drawn.values.back();
            drawn.texts.push_back(figure(drawn.values.back()) + " " + chart.axis);
        }
        chart.series.push_back(std::move(drawn));
    }
    for (std::size_t bar = 0; bar < bars; ++bar) {
        chart.ends.push_back(has[bar] ? figure(whole[bar]) : "");
        chart.notes.push_back(has[bar] ? "" : note);
    }
    chart.shares = series.size() > 1;
    return chart;
}

}  // namespace memside
