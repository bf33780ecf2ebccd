#include "base/median.h"
#include "base/text.h"
#include "report/bakeoff.h"
#include "report/figure_page.h"
#include "report/html_parts.h"
#include "report/json_writer.h"

namespace memside {
namespace {

using html::XyChart;
using html::XySeries;

constexpr const char* fills[] = {"--accent", "--part3", "--part1", "--part2",
                                 "--part4",  "--part5", "--part6", "--other"};

// The median search of a method: the share of the best score after each number of trials at which
// it changes, up to the last one.
XySeries median_search(const std::vector<const tune::Replay*>& runs, const std::string& name,
                       const std::string& fill) {
    XySeries series{name, fill, true, false, false, {}};
    std::size_t longest = 0;
    for (const tune::Replay* run : runs) longest = std::max(longest, run->best_after.size());
    double last = -1;
    for (std::size_t trial = 1; trial <= longest; ++trial) {
        std::vector<double> shares;
        for (const tune::Replay* run : runs) {
            const std::size_t at = std::min(trial, run->best_after.size());
            shares.push_back(at == 0 ? 0.0 : static_cast<double>(run->best_after[at - 1]));
        }
        const double share = 100 * median(std::move(shares));
        if (share == last && trial != longest) continue;
        // A step, not a slope: the share holds until the trial that changes it.
        if (last >= 0 && share != last) {
            series.points.push_back({static_cast<double>(trial - 1), last, "", ""});
        }
        last = share;
        series.points.push_back({static_cast<double>(trial), share,
                                 fmt::format("{}: {:.1f} % after {} trials", name, share, trial),
                                 ""});
        if (share >= 100) break;
    }
    return series;
}

XyChart curves(const Bakeoff& bakeoff, std::size_t truth, std::size_t plan) {
    XyChart chart;
    chart.id = fmt::format("search-{}-{}", truth, plan);
    chart.title = fmt::format("{}, plans of {}", bakeoff.truths[truth].name, plan);
    chart.subtitle = fmt::format("median of {} searches among {} points; drawn from 80 %",
                                 bakeoff.options.seeds, bakeoff.truths[truth].candidates->size());
    chart.x_axis = "trials";
    chart.y_axis = "% of the best speed";
    chart.whole_x = true;
    chart.y_range = {80, 100};  // where methods differ
    chart.wide = true;
    for (std::size_t m = 0; m < bakeoff.options.methods.size(); ++m) {
        std::vector<const tune::Replay*> runs;
        for (const tune::Replay& run : bakeoff.replays) {
            if (run.truth == truth && run.plan == plan && run.method == m) runs.push_back(&run);
        }
        chart.series.push_back(
            median_search(runs, bakeoff.options.methods[m].text, fills[m % std::size(fills)]));
        chart.series.back().dashed = m >= std::size(fills);
    }
    return chart;
}

FigureTable ratio_table(const Bakeoff& bakeoff, const std::vector<tune::ReplaySummary>& summaries) {
    FigureTable table;
    const std::string& base = bakeoff.options.methods[bakeoff.base()].text;
    table.heading = fmt::format("Trials to 99 %, against {}", base);
    table.note = fmt::format(
        "Geometric mean of the ratio of medians, over the spaces where {} needs {} trials or more "
        "(median); below 1, a method needs fewer.",
        base, least_counted_trials);
    table.heads = {"method", "plan", "share of trials", "spaces counted"};
    table.numeric = {false, true, true, false};
    for (const tune::Comparison& one :
         tune::compare(summaries, bakeoff.base(), compared_level, least_counted_trials)) {
        std::vector<std::string> names;
        for (const std::size_t truth : one.counted) names.push_back(bakeoff.truths[truth].name);
        table.rows.push_back({bakeoff.options.methods[one.method].text, fmt::format("{}", one.plan),
                              one.ratio ? figure(*one.ratio) : "", join(names, ", ")});
    }
    return table;
}

FigureTable trials_table(const Bakeoff& bakeoff, const std::vector<tune::ReplaySummary>& summaries,
                         std::size_t truth) {
    FigureTable table;
    table.heading = bakeoff.truths[truth].name;
    table.note = fmt::format(
        "Trials, median (quartiles) of {} seeds; the best of {} points takes "
        "{} us.",
        bakeoff.options.seeds, bakeoff.truths[truth].candidates->size(),
        figure(bakeoff.truths[truth].best_time_ns / 1e3));
    table.heads = {"method", "plan", "to 95 %", "to 99 %", "to 100 %"};
    table.numeric = {false, true, true, true, true};
    for (const tune::ReplaySummary& s : summaries) {
        if (s.truth != truth) continue;
        table.rows.push_back({bakeoff.options.methods[s.method].text, fmt::format("{}", s.plan),
                              quartile_text(s.trials[0]), quartile_text(s.trials[1]),
                              quartile_text(s.trials[2])});
    }
    return table;
}

}  // namespace

std::string bakeoff_page(const Bakeoff& bakeoff) {
    std::vector<XyChart> list;
    for (std::size_t truth = 0; truth < bakeoff.truths.size(); ++truth) {
        for (const std::size_t plan : bakeoff.options.plans) {
            list.push_back(curves(bakeoff, truth, plan));
        }
    }
    const html::Charts charts = html::draw_charts({}, {}, "How searches go", "", list);
    const auto summaries = tune::summarise(bakeoff.replays);
    std::string body =
        "<p class=\"note\">Every point of these spaces was measured; the searches are replayed on "
        "those times. All methods begin with the same candidates, and measure as many between two "
        "lessons.</p>\n";
    body += figure_table(ratio_table(bakeoff, summaries));
    body += charts.figures;
    for (std::size_t truth = 0; truth < bakeoff.truths.size(); ++truth) {
        body += figure_table(trials_table(bakeoff, summaries, truth));
    }
    body += fmt::format(
        "<section class=\"reproduce\">\n<h2>Reproduce</h2>\n<pre><code>{}</code></pre>\n"
        "<p class=\"note\">memside {}, seeds 1 to {}; a time within {} % of the best one is a tie "
        "with it. The same tables and seeds give the same bytes, on any number of threads."
        "</p>\n</section>\n",
        html::escaped(bakeoff.command), MEMSIDE_VERSION, bakeoff.options.seeds,
        shortest(100 * bakeoff.options.noise));
    return html::whole_page(
        "Search methods on measured spaces",
        fmt::format("{} methods, {} spaces", bakeoff.options.methods.size(), bakeoff.truths.size()),
        body, charts.data, "replayed on measured times");
}

}  // namespace memside
