#include "base/text.h"
#include "cli/scores.h"

namespace memside::cli {
namespace {

std::string four_digits(double value) {
    return fmt::format("{:.4g}", value);
}

void write_budget(JsonWriter& json, const kv::BudgetStatistics& budget) {
    json.begin_object();
    json.member("budget_pages", budget.budget_pages);
    json.member("drop_out_rate", budget.drop_out_rate);
    json.member("steady_share", budget.steady_share);
    json.member("overlap", budget.overlap);
    json.member("settled_drop_out", budget.settled_drop_out);
    json.member("mass", budget.mass);
    json.member("sink_selected", budget.sink_selected);
    json.member("newest_selected", budget.newest_selected);
    for (std::size_t i = 0; i < kv::lifetime_ages.size(); ++i) {
        json.member(fmt::format("outlives_{}", kv::lifetime_ages[i]), budget.outlives[i]);
    }
    json.end_object();
}

}  // namespace

void write_statistics_members(JsonWriter& json, const kv::TraceStatistics& statistics) {
    json.member("streams", statistics.streams);
    json.member("steps", statistics.steps);
    json.member("pages", statistics.pages);
    json.member("sigma", statistics.sigma);
    json.member("skewness", statistics.skewness);
    json.member("kurtosis", statistics.kurtosis);
    json.key("correlation");
    json.begin_object();
    for (std::size_t i = 0; i < kv::correlation_lags.size(); ++i) {
        json.member(std::to_string(kv::correlation_lags[i]), statistics.correlation[i]);
    }
    json.end_object();
    json.member("sink_excess", statistics.sink_excess);
    json.key("recency");
    json.begin_array(JsonWriter::Layout::one_line);
    for (const double excess : statistics.recency) json.value(excess);
    json.end_array();
    json.member("drop_out_spread", statistics.drop_out_spread);
    json.key("budgets");
    json.begin_array();
    for (const kv::BudgetStatistics& budget : statistics.budgets) write_budget(json, budget);
    json.end_array();
}

void write_parameters(JsonWriter& json, const kv::SyntheticParameters& parameters) {
    json.begin_object();
    for (const kv::SyntheticParameter& parameter : kv::synthetic_parameters()) {
        json.member(parameter.name, parameters.*parameter.member);
    }
    json.end_object();
}

void write_figures(JsonWriter& json, const std::vector<kv::FittedFigure>& figures) {
    json.begin_array();
    for (const kv::FittedFigure& figure : figures) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("name", figure.name);
        json.member("budget_pages", figure.budget_pages);
        json.member("recorded", figure.recorded);
        json.member("fitted", figure.fitted);
        json.member("error", figure.error());
        json.end_object();
    }
    json.end_array();
}

std::string statistics_table(const std::vector<std::string>& names,
                             const std::vector<kv::TraceStatistics>& statistics) {
    std::string text = fmt::format("{:<10}{:>7}{:>7}{:>7}{:>7}{:>9}{:>9}\n", "stream", "sigma",
                                   "lag 1", "lag 16", "sink", "newest", "kurtosis");
    for (std::size_t i = 0; i < names.size(); ++i) {
        const kv::TraceStatistics& one = statistics[i];
        text += fmt::format("{:<10}{:>7.2f}{:>7.2f}{:>7.2f}{:>7.2f}{:>9.2f}{:>9.2f}\n", names[i],
                            one.sigma, one.correlation[0], one.correlation[4], one.sink_excess,
                            one.recency.empty() ? 0.0 : one.recency.front(), one.kurtosis);
    }
    text += fmt::format("\n{:<10}{:>7}{:>10}{:>9}{:>9}{:>9}{:>7}{:>9}{:>10}{:>10}{:>8}\n", "stream",
                        "budget", "drop-out", "settled", "steady", "overlap", "mass", "life >4",
                        "life >16", "life >64", "newest");
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (const kv::BudgetStatistics& b : statistics[i].budgets) {
            text += fmt::format(
                "{:<10}{:>7}{:>10.4f}{:>9.4f}{:>9.3f}{:>9.3f}{:>7.3f}{:>9.3f}{:>10.3f}{:>10.3f}{:>"
                "8.2f}\n",
                names[i], b.budget_pages, b.drop_out_rate, b.settled_drop_out, b.steady_share,
                b.overlap, b.mass, b.outlives[2], b.outlives[4], b.outlives[6], b.newest_selected);
        }
    }
    return text;
}

std::string figures_table(const std::vector<kv::FittedFigure>& fitted,
                          const std::vector<kv::FittedFigure>& held_out) {
    std::string text = fmt::format("{:<16}{:>7}  {:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}\n", "", "",
                                   "seen by", "the fit", "", "held out", "", "");
    text += fmt::format("{:<16}{:>7}  {:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}\n", "figure", "budget",
                        "recorded", "fitted", "error", "recorded", "fitted", "error");
    for (std::size_t i = 0; i < fitted.size(); ++i) {
        const kv::FittedFigure& a = fitted[i];
        const kv::FittedFigure& b = held_out[i];
        text += fmt::format("{:<16}{:>7}  {:>9.4f}{:>9.4f}{:>+9.2f}  {:>9.4f}{:>9.4f}{:>+9.2f}\n",
                            a.name, a.budget_pages, a.recorded, a.fitted, a.error(), b.recorded,
                            b.fitted, b.error());
    }
    return text;
}

std::string set_options(const kv::SyntheticParameters& parameters) {
    std::vector<std::string> options;
    for (const kv::SyntheticParameter& parameter : kv::synthetic_parameters()) {
        options.push_back(fmt::format("--set scores.{}={}", parameter.name,
                                      four_digits(parameters.*parameter.member)));
    }
    return join(options, " ");
}

kv::SyntheticParameters rounded(const kv::SyntheticParameters& parameters) {
    kv::SyntheticParameters result = parameters;
    for (const kv::SyntheticParameter& parameter : kv::synthetic_parameters()) {
        result.*parameter.member = std::stod(four_digits(parameters.*parameter.member));
    }
    return result;
}

}  // namespace memside::cli
