// The comparison as one offline page: who wins where, and why.
#include <set>

#include "report/figure_page.h"
#include "report/format.h"
#include "study/compare.h"

namespace memside {
namespace {

std::string at_words(CompareAt at) {
    switch (at) {
        case CompareAt::capacity:
            return "equal memory capacity";
        case CompareAt::cost:
            return "equal cost";
        case CompareAt::power:
            break;
    }
    return "equal power";
}

std::pair<std::string, std::string> bar_label(const CompareRow& row) {
    const std::string label = row.label();
    const std::size_t blank = label.find(' ');
    return {label.substr(0, blank), label.substr(blank + 1)};
}

std::vector<const CompareRow*> running(const CompareTable& table) {
    std::vector<const CompareRow*> rows;
    for (const CompareRow& row : table.rows) {
        if (row.runs()) rows.push_back(&row);
    }
    return rows;
}

// A family has one colour in all charts.
std::string family_fill(const std::string& name) {
    constexpr std::array fills{"--text",  "--other", "--part6", "--part4",
                               "--part0", "--part2", "--part3", "--part5"};
    const std::vector<SystemFamily>& families = system_families();
    for (std::size_t f = 0; f < families.size(); ++f) {
        if (families[f].name == name) return fills[f % fills.size()];
    }
    return "--accent";
}

// "cent-x34 pim decodes 3.87 times the tokens per dollar of a100x8 dense; softmax is 41 % of ..."
std::string verdict(const CompareTable& table, const CompareRow& reference) {
    const std::vector<const CompareRow*> rows = running(table);
    if (rows.empty()) return "";
    const CompareRow& best = *rows.front();
    std::string out = fmt::format("At {} {} comes first", at_words(table.at), best.label());
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const CompareRow* row) {
        return row->label() == reference.label();
    });
    if (same != rows.end() && *same != &best) {
        out += fmt::format(", with {} times the tokens per {} of {}",
                           figure(best.merit / (*same)->merit),
                           table.at == CompareAt::power ? "joule" : "dollar", reference.label());
    }
    out += '.';
    if (!best.bounds.empty()) {
        const PhaseBound& longest = *std::max_element(
            best.bounds.begin(), best.bounds.end(),
            [](const PhaseBound& a, const PhaseBound& b) { return a.time_s < b.time_s; });
        out += fmt::format(" Its longest phase is {}, {:.0f} % of a step{}.", longest.name,
                           longest.share * 100,
                           longest.bound.empty() ? "" : ", bound by " + longest.bound);
    }
    if (best.ranged) out += fmt::format(" Its rank {}.", flip_text(best));
    return out;
}

html::Chart merit_chart(const CompareTable& table, const CompareRow& reference) {
    const bool power = table.at == CompareAt::power;
    std::vector<std::pair<std::string, std::string>> labels;
    FigureSeries series{"", "", {}};
    for (const CompareRow* row : running(table)) {
        labels.push_back(bar_label(*row));
        series.values.emplace_back(row->merit);
    }
    const std::string size = table.at == CompareAt::capacity
                                 ? short_bytes(reference.size.capacity_bytes)
                             : power ? figure(reference.size.power_w) + " W"
                                     : figure(reference.size.usd_per_hour) + " USD/h";
    html::Chart chart = figure_chart(
        fmt::format("merit-{}", compare_at_name(table.at)),
        fmt::format("Who wins at {}", at_words(table.at)),
        fmt::format("{}, each system as large as {}: {}",
                    power ? "tokens per joule at full power" : "million tokens per dollar",
                    reference.label(), size),
        power ? "tok/J" : "M tok/USD", power ? 1 : 1e-6, std::move(labels), {series}, "");
    chart.highlight = true;
    return chart;
}

html::Chart parts_chart(const CompareTable& table) {
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<FigureSeries> series;
    constexpr std::array fills{"--part0", "--part3", "--part1", "--part2", "--part5", "--other"};
    for (std::size_t i = 0; i < step_part_names.size(); ++i) {
        series.push_back({std::string(step_part_names[i]), fills[i], {}});
    }
    for (const CompareRow* row : running(table)) {
        labels.push_back(bar_label(*row));
        const auto parts = step_parts(row->result);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            series[i].values.emplace_back(parts[i] / static_cast<double>(row->result.batch));
        }
    }
    std::erase_if(series, [](const FigureSeries& one) {
        return std::all_of(one.values.begin(), one.values.end(),
                           [](const auto& value) { return value.value_or(0) == 0; });
    });
    return figure_chart(fmt::format("parts-{}", compare_at_name(table.at)),
                        fmt::format("Why, at {}", at_words(table.at)),
                        "where the time of a step goes, per token of the batch", "ms", 1e3,
                        std::move(labels), series, "");
}

// Merit over the range of an assumed price or power, which is drawn relative to its usual value.
html::XyChart range_chart(const CompareTable& table) {
    const bool power = table.at == CompareAt::power;
    html::XyChart chart;
    chart.id = fmt::format("range-{}", compare_at_name(table.at));
    chart.title = fmt::format("Where the ranking flips, at {}", at_words(table.at));
    chart.subtitle =
        fmt::format("{} while the assumed {} of a module goes through its range; sizes as above",
                    power ? "tokens per joule at full power" : "million tokens per dollar",
                    power ? "power" : "price");
    chart.x_axis = fmt::format("{} of a module, times the usual one", power ? "power" : "price");
    chart.y_axis = power ? "tok/J" : "M tok/USD";
    chart.wide = true;
    const double scale = power ? 1 : 1e-6;
    double low = 1;
    double high = 1;
    for (const CompareRow* row : running(table)) {
        if (!row->ranged) continue;
        low = std::min(low, row->ranged->range->low / row->ranged->value);
        high = std::max(high, row->ranged->range->high / row->ranged->value);
    }
    for (const CompareRow* row : running(table)) {
        html::XySeries series;
        series.name = row->label();
        series.fill = family_fill(row->family);
        series.line = true;
        series.markers = false;
        const auto add = [&](double x, double merit) {
            series.points.push_back({x, merit * scale,
                                     fmt::format("{}: {} {} at {} x", series.name,
                                                 figure(merit * scale), chart.y_axis, figure(x)),
                                     ""});
        };
        if (!row->ranged) {
            series.dashed = true;
            add(low, row->merit);
            add(high, row->merit);
        } else {
            constexpr int steps = 24;
            const Constant& constant = *row->ranged;
            for (int i = 0; i <= steps; ++i) {
                const double value =
                    constant.range->low + (constant.range->high - constant.range->low) * i / steps;
                add(value / constant.value, row->merit_at(table.at, value));
            }
        }
        chart.series.push_back(std::move(series));
    }
    return chart;
}

FigureTable size_table(const CompareTable& table) {
    FigureTable out;
    out.heading = fmt::format("At {}", at_words(table.at));
    out.note =
        "Sizes are the fastest within 10 % below the reference, else the nearest from below, else "
        "the next above. Prices and powers of DRAM-PIM modules are assumed: the last column says "
        "at which value within its range a system changes places with another.";
    out.heads = {"system", "of reference", "memory",     "USD/h",   "W",       "batch",
                 "tok/s",  "ms per token", "tokens/USD", "J/token", "its rank"};
    out.numeric = {false, true, true, true, true, true, true, true, true, true, false};
    for (const CompareRow& row : table.rows) {
        if (!row.runs()) {
            const std::string label = row.result.system.empty() ? row.family : row.label();
            out.rows.push_back({label, "", "", "", "", "", "", "", "", "", row.result.reason});
            continue;
        }
        out.rows.push_back({row.label(), fmt::format("{:.0f} %", row.share * 100),
                            short_bytes(row.size.capacity_bytes), figure(row.size.usd_per_hour),
                            figure(row.size.power_w), fmt::format("{}", row.result.batch),
                            figure(*row.result.throughput_tok_per_s),
                            milliseconds(*row.result.tpot_s), figure(*row.result.tokens_per_usd),
                            figure(*row.result.energy_j_per_token), flip_text(row)});
    }
    return out;
}

// The two longest phases, with what bounds each, and what would help most.
FigureTable why_table(const CompareTable& table) {
    FigureTable out;
    out.heading = fmt::format("What bounds each system, at {}", at_words(table.at));
    out.note =
        "Found by simulating again with one constant doubled, or a latency halved, at the same "
        "batch; the last column with the batch that then fits.";
    out.heads = {"system",   "most of a step",  "bound by", "then",
                 "bound by", "would help most", "tok/s"};
    out.numeric = {false, false, false, false, false, false, true};
    for (const CompareRow* row : running(table)) {
        if (row->bounds.empty()) continue;
        std::vector<PhaseBound> phases = row->bounds;
        std::stable_sort(
            phases.begin(), phases.end(),
            [](const PhaseBound& a, const PhaseBound& b) { return a.time_s > b.time_s; });
        const auto name = [](const PhaseBound& phase) {
            return fmt::format("{}, {:.0f} %", phase.name, phase.share * 100);
        };
        const auto bound = [](const PhaseBound& phase) {
            return phase.bound.empty() ? std::string("several things") : phase.bound;
        };
        std::vector<std::string> cells{row->label(), name(phases[0]), bound(phases[0])};
        cells.push_back(phases.size() > 1 ? name(phases[1]) : "");
        cells.push_back(phases.size() > 1 ? bound(phases[1]) : "");
        const auto& best = row->best_improvement;
        cells.push_back(best ? best->name : "");
        cells.push_back(best ? fmt::format("x {:.2f}", *best->throughput_ratio) : "");
        out.rows.push_back(std::move(cells));
    }
    return out;
}

std::string winners(const Comparison& comparison) {
    std::vector<std::string> parts;
    for (const CompareTable& table : comparison.tables) {
        const std::vector<const CompareRow*> rows = running(table);
        if (rows.empty()) continue;
        parts.push_back(fmt::format("{} at {}", rows.front()->label(), at_words(table.at)));
    }
    return parts.empty() ? "nothing runs" : fmt::format("Best: {}.", fmt::join(parts, "; "));
}

}  // namespace

std::string comparison_page(const std::vector<Comparison>& comparisons,
                            const std::string& command) {
    FigurePage page;
    const bool one = comparisons.size() == 1;
    page.title = one ? fmt::format("Who wins where, and why: {}", comparisons.front().title)
                     : "Who wins where, and why";
    page.lede = one ? winners(comparisons.front()) : "";
    page.charts_heading = "Who, why, and for how long";
    page.notes = {
        "Every system decodes as many requests as fit. dense and pim attend every token; recall, "
        "pnm-kv and png-kv a budget unless it says otherwise: what that costs in answers is not "
        "in these figures."};
    std::set<std::string> seen;
    for (std::size_t c = 0; c < comparisons.size(); ++c) {
        const Comparison& comparison = comparisons[c];
        // Charts and tables of several say which they are of.
        const auto titled = [&](const std::string& text) {
            return one ? text : fmt::format("{}: {}", comparison.title, text);
        };
        const auto add_chart = [&](html::Chart chart) {
            chart.id += fmt::format("-{}", c);
            chart.title = titled(chart.title);
            page.charts.push_back(std::move(chart));
        };
        const auto add_table = [&](FigureTable table) {
            table.heading = titled(table.heading);
            if (!table.rows.empty()) page.tables.push_back(std::move(table));
        };
        for (const CompareTable& table : comparison.tables) {
            page.notes.push_back(titled(verdict(table, comparison.reference)));
            add_chart(merit_chart(table, comparison.reference));
            add_chart(parts_chart(table));
            html::XyChart range = range_chart(table);
            range.id += fmt::format("-{}", c);
            range.title = titled(range.title);
            page.xy_charts.push_back(std::move(range));
            add_table(size_table(table));
            add_table(why_table(table));
            for (const CompareRow* row : running(table)) {
                const std::string key = fmt::format("{} {} {}", c, row->family, row->label());
                if (seen.insert(key).second) page.results.push_back(row->result);
            }
        }
        if (page.results.empty()) page.results.push_back(comparison.reference.result);
    }
    page.command = command;
    return figure_page(page);
}

}  // namespace memside
