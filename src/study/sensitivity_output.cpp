// Tables, text and page of a sensitivity study.
#include "base/number.h"
#include "base/text.h"
#include "report/csv.h"
#include "report/figure_page.h"
#include "report/format.h"
#include "report/table.h"
#include "report/text_table.h"
#include "study/experiment_parts.h"
#include "study/sensitivity.h"

namespace memside {
namespace {

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

constexpr double worth_a_row = 0.01;  // of the highest ratio: what moves it less has no row

std::string shown(const std::optional<double>& value) {
    return value ? figure(*value) : "";
}

std::string cell(const std::optional<double>& value) {
    return value ? fmt::format("{:.9g}", *value) : "";
}

bool reaches(const Claim& claim, const std::optional<double>& ratio) {
    return ratio && claim.stated && *ratio >= *claim.stated;
}

std::string csv_of(const Sensitivity& study, const std::vector<Variation>& variations) {
    std::vector<std::string> line{"varied", "at", "default"};
    for (const Claim& claim : study.claims) line.push_back(claim.name);
    line.emplace_back("drop_out_rate");
    std::string csv = csv_line(line);
    for (const Variation& variation : variations) {
        line = {variation.group, join(variation.at, "; "), variation.standard ? "yes" : "no"};
        for (const std::optional<double>& ratio : variation.ratios) line.push_back(cell(ratio));
        line.push_back(cell(variation.drop_out_rate));
        csv += csv_line(line);
    }
    return csv;
}

Status add_stated(const std::optional<CsvTable>& table, Sensitivity& study) {
    if (!table) return {};
    const auto at = [&](std::size_t row, std::string_view head) {
        const int column = table->column(head);
        return column < 0 ? std::string() : table->rows[row][static_cast<std::size_t>(column)];
    };
    for (std::size_t r = 0; r < table->rows.size(); ++r) {
        if (at(r, "experiment") != study.name) continue;
        std::vector<std::string> names;
        for (const Claim& claim : study.claims) names.push_back(claim.name);
        MEMSIDE_TRY(const std::size_t c, parse_choice(at(r, "column"), names, table->where(r)));
        MEMSIDE_TRY(study.claims[c].stated, parse_number(at(r, "stated"), table->where(r)));
        study.claims[c].source = at(r, "source");
    }
    return {};
}

std::optional<double> at_defaults(const std::vector<Variation>& variations, std::size_t claim) {
    for (const Variation& variation : variations) {
        if (variation.standard) return variation.ratios[claim];
    }
    return std::nullopt;
}

std::vector<StatedRow> stated_rows(const Sensitivity& study,
                                   const std::vector<Variation>& variations) {
    std::vector<StatedRow> rows;
    for (std::size_t c = 0; c < study.claims.size(); ++c) {
        const Claim& claim = study.claims[c];
        if (!claim.stated) continue;
        rows.push_back({claim.head, at_defaults(variations, c), "the defaults", *claim.stated, "x",
                        claim.source});
    }
    return rows;
}

// The ranges of a claim, the one that moves it most first.
std::vector<ClaimRange> by_swing(std::vector<ClaimRange> ranges, std::size_t claim) {
    std::erase_if(ranges, [&](const ClaimRange& range) { return range.claim != claim; });
    std::stable_sort(ranges.begin(), ranges.end(), [](const ClaimRange& a, const ClaimRange& b) {
        return *a.highest - *a.lowest > *b.highest - *b.lowest;
    });
    return ranges;
}

std::vector<std::string> claim_row(const Sensitivity& study, const ClaimRange& range) {
    return {study.ranges[range.range].head,
            shown(range.lowest),
            range.lowest_at,
            shown(range.standard),
            shown(range.highest),
            range.highest_at,
            range.reached.empty()       ? "nowhere"
            : range.not_reached.empty() ? "everywhere"
                                        : join(range.reached, ", ")};
}

const std::vector<std::string>& claim_heads() {
    static const std::vector<std::string> heads{"assumption", "lowest", "at",        "default",
                                                "highest",    "at",     "reached at"};
    return heads;
}

std::string text_of(const Sensitivity& study, const std::vector<Variation>& variations,
                    bool colour) {
    const std::vector<ClaimRange> ranges = claim_ranges(study, variations);
    std::string out;
    for (std::size_t c = 0; c < study.claims.size(); ++c) {
        const Claim& claim = study.claims[c];
        out += painted(
            fmt::format("{}: {} at the defaults", claim.head, shown(at_defaults(variations, c))),
            Tone::strong, colour);
        out += claim.stated ? fmt::format(", stated {}\n", figure(*claim.stated)) : "\n";
        TextTable table({left, right, left, right, right, left, left});
        std::vector<Cell> cells;
        for (const std::string& head : claim_heads()) cells.push_back({head, Tone::faint});
        table.add(cells);
        std::vector<std::string> flat;
        for (const ClaimRange& range : by_swing(ranges, c)) {
            if (*range.highest - *range.lowest < worth_a_row * *range.highest) {
                flat.push_back(study.ranges[range.range].head);
                continue;
            }
            cells.clear();
            for (const std::string& text : claim_row(study, range)) cells.push_back({text});
            table.add(cells);
        }
        out += table.render(terminal_columns, 2, colour);
        if (flat.empty()) continue;
        for (const std::string& line :
             wrapped("less than 1 %: " + join(flat, ", "), terminal_columns - 2)) {
            out += "  " + line + '\n';
        }
    }
    std::vector<TextTable::Align> aligned(1 + study.claims.size(), right);
    aligned.front() = left;
    TextTable table(aligned);
    std::vector<Cell> heads{{"scenario", Tone::faint}};
    for (const Claim& claim : study.claims) heads.push_back({claim.name, Tone::faint});
    table.add(heads);
    bool any = false;
    for (const Variation& variation : variations) {
        if (!variation.scenario) continue;
        if (!any) out += painted("Scenarios", Tone::strong, colour) + "\n";
        any = true;
        std::vector<Cell> cells{{variation.at.front()}};
        for (const std::optional<double>& ratio : variation.ratios) cells.push_back({shown(ratio)});
        table.add(cells);
    }
    return any ? out + table.render(terminal_columns, 2, colour) : out;
}

// One bar per assumption from the lowest to the highest figure, the default where colours meet.
html::Chart tornado(const Sensitivity& study, const std::vector<ClaimRange>& ranges,
                    std::size_t claim) {
    std::vector<std::pair<std::string, std::string>> labels;
    FigureSeries blank{"below the lowest", "--surface", {}};
    FigureSeries below{"lowest to default", "--part3", {}};
    FigureSeries above{"default to highest", "--part0", {}};
    for (const ClaimRange& range : ranges) {
        const double standard = range.standard.value_or(*range.lowest);
        labels.emplace_back(study.ranges[range.range].head,
                            fmt::format("{} to {}", range.lowest_at, range.highest_at));
        blank.values.emplace_back(*range.lowest);
        below.values.emplace_back(standard - *range.lowest);
        above.values.emplace_back(*range.highest - standard);
    }
    const Claim& of = study.claims[claim];
    html::Chart chart = figure_chart(
        fmt::format("tornado{}", claim), of.head,
        of.stated ? fmt::format("one assumption at a time; stated: {}", figure(*of.stated))
                  : "one assumption at a time",
        "x", 1.0, std::move(labels), {blank, below, above}, "");
    // What a bar ends at is written, not the widths that it is stacked of.
    for (std::size_t bar = 0; bar < ranges.size(); ++bar) {
        chart.ends[bar] =
            fmt::format("{} to {}", figure(*ranges[bar].lowest), figure(*ranges[bar].highest));
        for (html::Series& series : chart.series) series.texts[bar] = "";
        chart.series[0].texts[bar] = figure(*ranges[bar].lowest) + " x";
        chart.series[1].texts[bar] = shown(ranges[bar].standard) + " x at the default";
        chart.series[2].texts[bar] = figure(*ranges[bar].highest) + " x";
    }
    chart.shares = false;
    return chart;
}

// A claim over two ranges: a row per value of the first, a column per value of the second.
FigureTable region(const Sensitivity& study, const std::vector<Variation>& variations,
                   const std::vector<std::size_t>& grid, std::size_t claim) {
    const AssumptionRange& rows = study.ranges[grid[0]];
    const AssumptionRange& columns = study.ranges[grid[1]];
    FigureTable table{
        fmt::format("{}: {} by {}", study.claims[claim].head, rows.head, columns.head),
        "Marked *: the stated figure is reached.",
        {rows.head},
        {false},
        {}};
    for (const Setting& value : columns.values) {
        table.heads.push_back(value.value);
        table.numeric.push_back(true);
    }
    for (const Variation& variation : variations) {
        if (variation.ranges != grid) continue;
        if (variation.values[1] == 0) table.rows.push_back({variation.at.front()});
        const std::optional<double>& ratio = variation.ratios[claim];
        table.rows.back().push_back(shown(ratio) +
                                    (reaches(study.claims[claim], ratio) ? " *" : ""));
    }
    return table;
}

FigurePage page_of(const Sensitivity& study, const SensitivityRun& run, bool quick) {
    const std::vector<Variation>& variations = run.variations;
    FigurePage page;
    page.results = run.standard;
    page.title = study.title;
    page.lede = fmt::format("{}: {}", study.figure, study.name);
    page.notes = {study.note};
    const std::vector<ClaimRange> ranges = claim_ranges(study, variations);
    const std::vector<StatedRow> stated = stated_rows(study, variations);
    if (!stated.empty()) page.tables.push_back(stated_table(stated));
    for (std::size_t c = 0; c < study.claims.size(); ++c) {
        const std::vector<ClaimRange> own = by_swing(ranges, c);
        page.charts.push_back(tornado(study, own, c));
        FigureTable table{study.claims[c].head,
                          "",
                          claim_heads(),
                          {false, true, false, true, true, false, false},
                          {}};
        for (const ClaimRange& range : own) table.rows.push_back(claim_row(study, range));
        page.tables.push_back(std::move(table));
    }
    for (const std::vector<std::size_t>& grid : study.grids) {
        if (quick || grid.size() != 2) continue;
        for (std::size_t c = 0; c < study.claims.size(); ++c) {
            page.tables.push_back(region(study, variations, grid, c));
        }
    }
    FigureTable scenarios{"Scenarios", "", {"scenario"}, {false}, {}};
    for (const Claim& claim : study.claims) {
        scenarios.heads.push_back(claim.head);
        scenarios.numeric.push_back(true);
    }
    scenarios.heads.emplace_back("what is changed");
    for (const Variation& variation : variations) {
        if (!variation.scenario) continue;
        std::vector<std::string> row{variation.at.front()};
        for (std::size_t c = 0; c < study.claims.size(); ++c) {
            row.push_back(shown(variation.ratios[c]) +
                          (reaches(study.claims[c], variation.ratios[c]) ? " *" : ""));
        }
        row.push_back(study.scenarios[*variation.scenario].note);
        scenarios.rows.push_back(std::move(row));
    }
    if (!scenarios.rows.empty()) page.tables.push_back(std::move(scenarios));
    page.command =
        fmt::format("memside experiment run {}{} --out DIR", study.name, quick ? " --quick" : "");
    return page;
}

}  // namespace

Result<ExperimentOutput> produce_sensitivity(const ConfigNode& root, const std::string& name,
                                             const std::optional<CsvTable>& stated, bool quick,
                                             bool colour, const RunOptions& options) {
    MEMSIDE_TRY(Sensitivity study, parse_sensitivity(root, name));
    MEMSIDE_CHECK(add_stated(stated, study));
    MEMSIDE_TRY(const SensitivityRun run, run_sensitivity(study, quick, options));
    const std::vector<Variation>& variations = run.variations;
    ExperimentOutput out;
    out.name = name;
    out.title = study.title;
    out.points = run.points;
    out.tolerance = study.tolerance;
    out.tables.push_back({name + ".csv", csv_of(study, variations), 2, !quick});
    out.stated = stated_rows(study, variations);
    out.text = text_of(study, variations, colour);
    out.page = figure_page(page_of(study, run, quick));
    return out;
}

}  // namespace memside
