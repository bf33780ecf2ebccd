#include "report/html.h"

#include "report/html_parts.h"
#include "report/text_table.h"

namespace memside {
namespace html {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string whole_page(std::string_view title, std::string_view lede, std::string_view body,
                       std::string_view data, std::string_view tag) {
    std::string page;
    // The policy lets the page run what it carries and fetch nothing, whatever names it shows.
    page += R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
)";
    page += fmt::format("<meta name=\"generator\" content=\"memside {}\">\n", MEMSIDE_VERSION);
    page += fmt::format("<title>{} - Memside</title>\n<style>\n", escaped(title));
    page += embedded::page_css();
    // Before anything is painted, so that the page does not flash in the other theme.
    page +=
        "</style>\n<script>document.documentElement.dataset.theme = "
        "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';</script>\n"
        "</head>\n<body>\n<main>\n";
    page += fmt::format(
        "<header>\n<button type=\"button\" class=\"theme\" hidden>light or dark</button>\n"
        "<p class=\"eyebrow\">Memside <span class=\"tag\">{}</span></p>\n<h1>{}</h1>\n<p "
        "class=\"lede\">{}</p>\n</header>\n",
        escaped(tag), escaped(title), escaped(lede));
    page += body;
    page += "</main>\n<script type=\"application/json\" id=\"data\">\n";
    page += data;
    page += "</script>\n<script>\n";
    page += embedded::chart_js();
    page += "\n</script>\n<script>\n";
    page += embedded::curves_js();
    page += embedded::page_js();
    page += "</script>\n</body>\n</html>\n";
    return page;
}

}  // namespace html

namespace {

std::string title_of(const std::vector<SimulationResult>& results, const ResultLabels& labels,
                     const HtmlOptions& options) {
    if (!options.title.empty()) return options.title;
    if (!labels.shared.empty()) return labels.shared;
    return fmt::format("{} results", results.size());
}

}  // namespace

Result<std::string> html_report(const std::vector<SimulationResult>& results,
                                const HtmlOptions& options) {
    if (results.empty()) return bad_input("report", "there is no result to report");
    const ResultLabels labels = label_results(results);
    const std::string title = title_of(results, labels, options);
    const std::string subtitle = results.size() == 1
                                     ? labels.labels.front().line()
                                     : fmt::format("{} configurations compared", results.size());
    const html::Charts charts = html::charts(results, labels);

    std::string body = html::cards(results, labels);
    body += html::comparison_table(results, labels);
    body += charts.figures;
    body += html::counters(results, labels);
    body += html::assumptions(results, labels);
    body += html::constants(results, labels);
    body += html::reproduce(results, options.command);
    return html::whole_page(title, subtitle, body, charts.data);
}

}  // namespace memside
