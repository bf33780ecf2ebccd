#include "study/experiment.h"

#include <set>

#include "base/number.h"
#include "base/quantity.h"
#include "base/text.h"
#include "report/csv.h"

namespace memside {
namespace {

const std::vector<std::string>& experiment_keys() {
    static const std::vector<std::string> keys{
        "experiment", "title", "figure",  "note",   "base",  "set",       "list",
        "grid",       "quick", "columns", "ratios", "means", "tolerance", "charts"};
    return keys;
}

std::string optional_text(const ConfigNode& map, std::string_view key) {
    const ConfigNode* node = map.find(key);
    return node == nullptr ? "" : node->scalar;
}

// Nine digits: more than any tolerance, fewer than compilers differ in.
std::string cell(const std::optional<double>& value) {
    return value ? fmt::format("{:.9g}", *value) : "";
}

// The items of an optional list.
Result<std::vector<ConfigNode>> items_of(const ConfigNode& root, std::string_view key) {
    const ConfigNode* node = root.find(key);
    if (node == nullptr) return std::vector<ConfigNode>{};
    if (!node->is_list()) return bad_input(node->where(), fmt::format("'{}' must be a list", key));
    return node->items;
}

class ExperimentReader {
  public:
    ExperimentReader(const ConfigNode& root, const std::string& name) : root_(root) {
        experiment_.name = name;
    }

    Result<Experiment> read() {
        MEMSIDE_CHECK(expect_keys(root_, experiment_keys()));
        MEMSIDE_CHECK(read_head());
        MEMSIDE_TRY(experiment_.set, expand_points(root_));
        MEMSIDE_CHECK(read_columns());
        MEMSIDE_CHECK(read_quick());
        MEMSIDE_TRY(const auto means, items_of(root_, "means"));
        for (const ConfigNode& node : means) {
            MEMSIDE_TRY(Mean mean, read_mean(node, experiment_.set, experiment_.column_names()));
            experiment_.means.push_back(std::move(mean));
        }
        MEMSIDE_TRY(const auto charts, items_of(root_, "charts"));
        for (const ConfigNode& node : charts) {
            MEMSIDE_TRY(ExperimentChart chart, read_chart(node));
            experiment_.charts.push_back(std::move(chart));
        }
        MEMSIDE_TRY(experiment_.tolerance, read_tolerance(root_));
        return std::move(experiment_);
    }

  private:
    Status read_head() {
        MEMSIDE_TRY(const std::string name, required_text(root_, "experiment"));
        if (name != experiment_.name) {
            return bad_input(root_.find("experiment")->where(),
                             fmt::format("the experiment is called {}, its file '{}'",
                                         in_quotes(name), experiment_.name));
        }
        MEMSIDE_TRY(experiment_.title, required_text(root_, "title"));
        MEMSIDE_TRY(experiment_.figure, required_text(root_, "figure"));
        experiment_.note = optional_text(root_, "note");
        return {};
    }

    Status read_columns() {
        const ConfigNode* columns = root_.find("columns");
        if (columns == nullptr || !columns->is_map() || columns->fields.empty()) {
            return bad_input(root_.where(), "'columns' must map figures to headings");
        }
        for (const auto& [key, head] : columns->fields) {
            MEMSIDE_TRY(Measure measure, Measure::parse(key, head.where()));
            experiment_.measures.emplace_back(std::move(measure), head.scalar);
        }
        MEMSIDE_TRY(const auto ratios, items_of(root_, "ratios"));
        for (const ConfigNode& node : ratios) {
            MEMSIDE_TRY(Ratio ratio, read_ratio(node, experiment_.set));
            experiment_.ratios.push_back(std::move(ratio));
        }
        std::set<std::string> names;
        for (const std::string& key : experiment_.set.keys) names.insert(column_name(key));
        for (const std::string& name : experiment_.column_names()) {
            if (!names.insert(name).second) {
                return bad_input(columns->where(),
                                 fmt::format("two columns are called '{}'", name));
            }
        }
        return {};
    }

    // Points that match any of the selections; all without a list.
    Status read_quick() {
        MEMSIDE_TRY(const auto items, items_of(root_, "quick"));
        const std::vector<Point>& points = experiment_.set.points;
        std::vector<bool> chosen(points.size(), items.empty());
        for (const ConfigNode& item : items) {
            MEMSIDE_TRY(const Selector selector, Selector::parse(item, experiment_.set));
            for (const std::size_t i : selector.in(experiment_.set)) chosen[i] = true;
        }
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (chosen[i]) experiment_.quick.push_back(i);
        }
        return {};
    }

    Result<ExperimentChart> read_chart(const ConfigNode& node) const {
        if (!node.is_map()) return bad_input(node.where(), "a chart is a map");
        MEMSIDE_CHECK(expect_keys(
            node, {"title", "subtitle", "unit", "scale", "columns", "rest_of", "where"}));
        ExperimentChart chart;
        MEMSIDE_TRY(chart.title, required_text(node, "title"));
        MEMSIDE_TRY(chart.unit, required_text(node, "unit"));
        chart.subtitle = optional_text(node, "subtitle");
        if (const ConfigNode* scale = node.find("scale")) {
            MEMSIDE_TRY(chart.scale, parse_number(scale->scalar, scale->where()));
        }
        const std::vector<std::string> names = experiment_.column_names();
        MEMSIDE_TRY(const auto columns, items_of(node, "columns"));
        for (const ConfigNode& item : columns) {
            MEMSIDE_TRY(const std::size_t column, parse_choice(item.scalar, names, item.where()));
            chart.columns.push_back(column);
        }
        if (chart.columns.empty()) return bad_input(node.where(), "a chart needs 'columns'");
        if (const ConfigNode* rest = node.find("rest_of")) {
            MEMSIDE_TRY(chart.rest_of, parse_choice(rest->scalar, names, rest->where()));
        }
        if (const ConfigNode* where = node.find("where")) {
            MEMSIDE_TRY(const Selector selector, Selector::parse(*where, experiment_.set));
            chart.points = selector.in(experiment_.set);
        } else {
            for (std::size_t i = 0; i < experiment_.set.points.size(); ++i) {
                chart.points.push_back(i);
            }
        }
        return chart;
    }

    const ConfigNode& root_;
    Experiment experiment_;
};

}  // namespace

std::vector<std::string> Experiment::column_names() const {
    std::vector<std::string> names;
    for (const auto& [measure, head] : measures) names.push_back(measure.column());
    for (const Ratio& ratio : ratios) names.push_back(ratio.name);
    return names;
}

std::vector<std::string> Experiment::column_heads() const {
    std::vector<std::string> heads;
    for (const auto& [measure, head] : measures) heads.push_back(head);
    for (const Ratio& ratio : ratios) heads.push_back(ratio.head);
    return heads;
}

Result<Tolerance> read_tolerance(const ConfigNode& root) {
    const ConfigNode* node = root.find("tolerance");
    if (node == nullptr || !node->is_map()) {
        return bad_input(root.where(), "'tolerance' must give 'relative' and 'reason'");
    }
    MEMSIDE_CHECK(expect_keys(*node, {"relative", "reason"}));
    Tolerance tolerance;
    MEMSIDE_TRY(const std::string relative, required_text(*node, "relative"));
    MEMSIDE_TRY(tolerance.relative,
                parse_quantity(relative, Dimension::ratio, node->find("relative")->where()));
    MEMSIDE_TRY(tolerance.reason, required_text(*node, "reason"));
    return tolerance;
}

Result<Experiment> parse_experiment(const ConfigNode& root, const std::string& name) {
    if (!root.is_map()) return bad_input(root.where(), "an experiment is a map");
    return ExperimentReader(root, name).read();
}

Result<ExperimentRun> run_experiment(const Experiment& experiment, bool quick,
                                     const RunOptions& options) {
    ExperimentRun run;
    const std::size_t count = experiment.set.points.size();
    for (std::size_t i = 0; i < count; ++i) run.points.push_back(i);
    if (quick) run.points = experiment.quick;
    std::vector<Point> points;
    for (const std::size_t i : run.points) points.push_back(experiment.set.points[i]);
    MEMSIDE_TRY(std::vector<SimulationResult> results, run_points(points, options));
    run.results.resize(count);
    for (std::size_t n = 0; n < run.points.size(); ++n) {
        run.results[run.points[n]] = std::move(results[n]);
    }
    for (const auto& [measure, head] : experiment.measures) {
        Column column;
        for (const SimulationResult& result : run.results) column.push_back(measure.of(result));
        run.columns.push_back(std::move(column));
    }
    for (const Ratio& ratio : experiment.ratios) {
        run.columns.push_back(ratio_column(ratio, run.results));
    }
    if (quick) return run;
    const std::vector<std::string> names = experiment.column_names();
    for (const Mean& mean : experiment.means) {
        const auto at = std::find(names.begin(), names.end(), mean.of) - names.begin();
        run.means.push_back(
            mean_of(run.columns[static_cast<std::size_t>(at)], mean.kind, mean.points));
    }
    return run;
}

std::string experiment_csv(const Experiment& experiment, const ExperimentRun& run) {
    std::vector<std::string> line;
    for (const std::string& key : experiment.set.keys) line.push_back(column_name(key));
    for (std::string& name : experiment.column_names()) line.push_back(std::move(name));
    line.emplace_back("reason");
    std::string csv = csv_line(line);
    for (const std::size_t i : run.points) {
        line = experiment.set.points[i].swept;
        for (const Column& column : run.columns) line.push_back(cell(column[i]));
        line.push_back(run.results[i].reason);
        csv += csv_line(line);
    }
    return csv;
}

std::string means_csv(const Experiment& experiment, const ExperimentRun& run) {
    if (run.means.empty()) return "";
    std::string csv = csv_line({"name", "of", "kind", "points", "value"});
    for (std::size_t m = 0; m < run.means.size(); ++m) {
        const Mean& mean = experiment.means[m];
        csv += csv_line({mean.name, mean.of, std::string(mean_kind_name(mean.kind)),
                         std::to_string(run.means[m].count), cell(run.means[m].value)});
    }
    return csv;
}

}  // namespace memside
