#include "study/experiment_output.h"

#include <filesystem>

#include "base/data_dir.h"
#include "base/text.h"
#include "report/figure_page.h"
#include "report/format.h"
#include "report/table.h"
#include "report/text_table.h"
#include "study/compare_experiment.h"
#include "study/expected.h"
#include "study/experiment_parts.h"
#include "study/sensitivity.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

// A text with its runs of digits padded, so that fig3 comes before fig10.
std::string natural_key(const std::string& name) {
    std::string key;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find_first_not_of("0123456789", at), name.size());
        if (end == at) {
            key += name[at++];
            continue;
        }
        const std::string digits = name.substr(at, end - at);
        key += std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
        at = end;
    }
    return key;
}

std::string shown(const std::optional<double>& value) {
    return value ? figure(*value) : "";
}

std::vector<std::string> heads_of(const Experiment& experiment) {
    std::vector<std::string> heads = experiment.set.keys;
    for (std::string& head : experiment.column_heads()) heads.push_back(std::move(head));
    return heads;
}

// The cells of a point: swept values and figures, or why there are none.
std::vector<std::string> cells_of(const Experiment& experiment, const ExperimentRun& run,
                                  std::size_t point) {
    std::vector<std::string> cells = experiment.set.points[point].swept;
    for (const Column& column : run.columns) cells.push_back(shown(column[point]));
    return cells;
}

// How many of the columns fit in the terminal, from the first on; at least one.
std::size_t columns_that_fit(const std::vector<std::vector<std::string>>& rows, std::size_t keys) {
    constexpr int indent = 2;
    constexpr int gap = 2;
    int width = indent;
    std::size_t count = 0;
    for (std::size_t c = 0; c < rows.front().size(); ++c) {
        int widest = 0;
        for (const std::vector<std::string>& row : rows) {
            widest = std::max(widest, display_width(row[c]));
        }
        width += widest + gap;
        if (width - gap > terminal_columns && c > keys) break;
        count = c + 1;
    }
    return count;
}

std::string text_of(const Experiment& experiment, const ExperimentRun& run, bool colour) {
    const std::size_t keys = experiment.set.keys.size();
    std::vector<std::vector<std::string>> rows{heads_of(experiment)};
    for (const std::size_t i : run.points) rows.push_back(cells_of(experiment, run, i));
    const std::size_t shown_columns = columns_that_fit(rows, keys);
    std::vector<TextTable::Align> columns(keys, left);
    columns.resize(shown_columns, right);
    TextTable table(columns);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::vector<Cell> cells;
        const bool nothing = r > 0 && run.results[run.points[r - 1]].batch == 0;
        for (std::size_t c = 0; c < (nothing ? keys : shown_columns); ++c) {
            cells.push_back({rows[r][c], r == 0 ? Tone::faint : Tone::plain});
        }
        if (nothing) {
            cells.push_back(
                {"nothing fits: " + run.results[run.points[r - 1]].reason, Tone::warning});
        }
        table.add(std::move(cells));
    }
    std::string out = table.render(terminal_columns, 2, colour);
    if (shown_columns < rows.front().size()) {
        out += fmt::format("  {} more columns are in {}.csv\n", rows.front().size() - shown_columns,
                           experiment.name);
    }
    for (std::size_t m = 0; m < run.means.size(); ++m) {
        const Mean& mean = experiment.means[m];
        out += fmt::format("  {}: {} ({} over {} points)\n", mean.head, shown(run.means[m].value),
                           mean_kind_name(mean.kind), run.means[m].count);
    }
    return out;
}

// Bars are named by what tells their points apart: the system in front where there are several.
std::pair<std::string, std::string> label_of(const PointSet& set, const Point& point,
                                             const std::string& main_key) {
    std::pair<std::string, std::string> label;
    std::vector<std::string> rest;
    for (std::size_t k = 0; k < set.keys.size(); ++k) {
        if (set.keys[k] == main_key) {
            label.first = point.swept[k];
        } else if (!point.swept[k].empty()) {
            rest.push_back(point.swept[k]);
        }
    }
    label.second = join(rest, ", ");
    return label;
}

html::Chart chart_of(const Experiment& experiment, const ExperimentRun& run, std::size_t number) {
    const ExperimentChart& chart = experiment.charts[number];
    std::vector<std::size_t> points;
    std::set_intersection(chart.points.begin(), chart.points.end(), run.points.begin(),
                          run.points.end(), std::back_inserter(points));
    const std::vector<std::string>& keys = experiment.set.keys;
    const bool systems = std::find(keys.begin(), keys.end(), "system") != keys.end();
    const std::string main_key = systems ? "system" : keys.empty() ? "" : keys.front();
    std::vector<std::pair<std::string, std::string>> labels;
    for (const std::size_t i : points) {
        labels.push_back(label_of(experiment.set, experiment.set.points[i], main_key));
    }
    std::vector<FigureSeries> series;
    const std::vector<std::string> heads = experiment.column_heads();
    for (const std::size_t c : chart.columns) {
        FigureSeries one{heads[c], "", {}};
        for (const std::size_t i : points) one.values.push_back(run.columns[c][i]);
        series.push_back(std::move(one));
    }
    if (chart.rest_of) {
        FigureSeries rest{"other", "--other", {}};
        for (const std::size_t i : points) {
            std::optional<double> other = run.columns[*chart.rest_of][i];
            for (const std::size_t c : chart.columns) {
                if (other) *other -= run.columns[c][i].value_or(0.0);
            }
            // What rounding leaves of nothing is not drawn.
            if (other) other = std::max(0.0, *other);
            rest.values.push_back(other);
        }
        series.push_back(std::move(rest));
    }
    return figure_chart(fmt::format("{}", number), chart.title, chart.subtitle, chart.unit,
                        chart.scale, std::move(labels), series, "nothing fits");
}

FigurePage page_of(const Experiment& experiment, const ExperimentRun& run,
                   const std::vector<StatedRow>& stated, bool quick) {
    FigurePage page;
    page.title = experiment.title;
    page.lede = fmt::format("{}, regenerated: {}", experiment.figure, experiment.name);
    page.notes = {experiment.note};
    for (std::size_t c = 0; c < experiment.charts.size(); ++c) {
        page.charts.push_back(chart_of(experiment, run, c));
    }
    if (!stated.empty()) page.tables.push_back(stated_table(stated));
    FigureTable figures{"Figures", "", heads_of(experiment), {}, {}};
    figures.heads.emplace_back("nothing fits because");
    figures.numeric.assign(experiment.set.keys.size(), false);
    figures.numeric.resize(figures.heads.size() - 1, true);
    for (const std::size_t i : run.points) {
        figures.rows.push_back(cells_of(experiment, run, i));
        figures.rows.back().push_back(run.results[i].reason);
        page.results.push_back(run.results[i]);
    }
    page.tables.push_back(std::move(figures));
    if (!run.means.empty()) {
        FigureTable means{
            "Means", "", {"mean", "kind", "points", "value"}, {false, false, true, true}, {}};
        for (std::size_t m = 0; m < run.means.size(); ++m) {
            means.rows.push_back({experiment.means[m].head,
                                  std::string(mean_kind_name(experiment.means[m].kind)),
                                  std::to_string(run.means[m].count), shown(run.means[m].value)});
        }
        page.tables.push_back(std::move(means));
    }
    page.command = fmt::format("memside experiment run {}{} --out DIR", experiment.name,
                               quick ? " --quick" : "");
    return page;
}

Result<ExperimentOutput> produce_figure(const ConfigNode& root, const std::string& name,
                                        const std::optional<CsvTable>& stated, bool quick,
                                        bool colour, const RunOptions& options) {
    MEMSIDE_TRY(const Experiment experiment, parse_experiment(root, name));
    MEMSIDE_TRY(const ExperimentRun run, run_experiment(experiment, quick, options));
    ExperimentOutput out;
    out.name = name;
    out.title = experiment.title;
    out.points = run.points.size();
    out.tolerance = experiment.tolerance;
    out.tables.push_back(
        {name + ".csv", experiment_csv(experiment, run), experiment.set.keys.size(), !quick});
    if (!run.means.empty()) {
        out.tables.push_back({name + ".means.csv", means_csv(experiment, run), 3, true});
    }
    if (stated) {
        MEMSIDE_TRY(out.stated, stated_beside(*stated, experiment, run));
    }
    out.text = text_of(experiment, run, colour) + stated_text(out.stated, colour);
    out.page = figure_page(page_of(experiment, run, out.stated, quick));
    return out;
}

}  // namespace

FigureTable stated_table(const std::vector<StatedRow>& rows) {
    FigureTable table{"Stated and ours",
                      "Stated figures are shown only: no simulation reads them, and none is a "
                      "tolerance.",
                      {"claim", "ours", "stated", "unit", "ours is of", "source"},
                      {false, true, true, false, false, false},
                      {}};
    for (const StatedRow& row : rows) {
        table.rows.push_back(
            {row.claim, shown(row.ours), figure(row.stated), row.unit, row.ours_at, row.source});
    }
    return table;
}

std::string stated_text(const std::vector<StatedRow>& rows, bool colour) {
    if (rows.empty()) return "";
    TextTable table({left, right, right, left, left});
    table.add({{"stated claim", Tone::faint},
               {"ours", Tone::faint},
               {"stated", Tone::faint},
               {"", Tone::faint},
               {"ours is of", Tone::faint}});
    for (const StatedRow& row : rows) {
        table.add({{row.claim},
                   {row.ours ? figure(*row.ours) : "-", Tone::strong},
                   {figure(row.stated)},
                   {row.unit},
                   {row.ours_at}});
    }
    return table.render(terminal_columns, 2, colour);
}

std::vector<std::string> experiment_names(const std::string& folder) {
    std::vector<std::string> names;
    for (const std::string& name : list_folder(folder)) {
        if (name.ends_with(".yaml")) names.push_back(name.substr(0, name.size() - 5));
    }
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
        return natural_key(a) < natural_key(b);
    });
    return names;
}

Result<ExperimentOutput> produce_experiment(const std::string& folder, const std::string& name,
                                            bool quick, bool colour, const RunOptions& options) {
    const std::vector<std::string> names = experiment_names(folder);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        return bad_input(
            "", fmt::format("unknown experiment {}{}", in_quotes(name), hint(name, names)));
    }
    MEMSIDE_TRY(const ConfigNode root, read_config((fs::path(folder) / (name + ".yaml")).string()));
    std::optional<CsvTable> stated;
    const std::string beside = (fs::path(folder) / "stated.csv").string();
    std::error_code code;
    if (fs::exists(beside, code)) {
        MEMSIDE_TRY(stated, read_csv(beside));
    }
    const ConfigNode* kind = root.is_map() ? root.find("kind") : nullptr;
    if (kind == nullptr) return produce_figure(root, name, stated, quick, colour, options);
    if (kind->scalar == "comparison") return produce_comparison(root, name, quick, colour, options);
    if (kind->scalar != "sensitivity") {
        return bad_input(kind->where(),
                         fmt::format("unknown kind {}; allowed: comparison, sensitivity",
                                     in_quotes(kind->scalar)));
    }
    return produce_sensitivity(root, name, stated, quick, colour, options);
}

Result<std::vector<std::string>> compare_with_expected(const ExperimentOutput& output,
                                                       const std::string& expected_folder) {
    std::vector<std::string> all;
    for (const KeptTable& table : output.tables) {
        const std::string path = (fs::path(expected_folder) / table.file).string();
        std::error_code code;
        if (!fs::exists(path, code)) {
            all.push_back(
                fmt::format("{}: there are no expected figures in {}; copy those of a run "
                            "that you trust",
                            table.file, expected_folder));
            continue;
        }
        MEMSIDE_TRY(const CsvTable expected, read_csv(path));
        MEMSIDE_TRY(const CsvTable ours, parse_csv(table.csv, table.file));
        for (std::string& line :
             differences(ours, expected, table.keys, output.tolerance.relative, table.whole)) {
            all.push_back(fmt::format("{}: {}", table.file, line));
        }
    }
    return all;
}

}  // namespace memside
