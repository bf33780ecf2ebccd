#include "base/number.h"
#include "report/format.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside {
namespace {

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

bool all_agree(const std::vector<SimulationResult>& results, const auto& describe) {
    return std::all_of(results.begin(), results.end(), [&](const SimulationResult& result) {
        return describe(result) == describe(results.front());
    });
}

std::string or_dash(const std::optional<double>& value) {
    return value ? figure(*value) : "-";
}

}  // namespace

std::string comparison(const std::vector<SimulationResult>& results, bool colour) {
    if (results.empty()) return "no results\n";
    // What all rows would repeat goes into the title: the names then have room to stay whole.
    const bool same_model = all_agree(results, [](const auto& r) { return r.model; });
    const bool same_context = all_agree(results, [](const auto& r) { return r.context_tokens; });

    std::vector<TextTable::Align> columns;
    std::vector<Cell> heads;
    const auto column = [&](const char* head, TextTable::Align align) {
        columns.push_back(align);
        heads.push_back({head, Tone::faint});
    };
    if (!same_context) column("context", right);
    column("system", left);
    column("policy", left);
    for (const char* head : {"batch", "tok/s", "ms/token", "J/token", "tok/USD"}) {
        column(head, right);
    }
    column("held back by", left);

    TextTable table(columns);
    table.add(heads);
    const SimulationResult* previous = nullptr;
    const ResultLabels labels = label_results(results);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const SimulationResult& result = results[i];
        // A line of its own for each model: a column of them would leave the systems no room.
        if (!same_model && (previous == nullptr || previous->model != result.model)) {
            table.add({{result.model, Tone::strong}});
        }
        previous = &result;
        std::vector<Cell> cells;
        if (!same_context) cells.push_back({format_tokens(result.context_tokens)});
        cells.push_back({result.system});
        const std::string& extra = labels.labels[i].extra;
        cells.push_back({result.policy + (extra.empty() ? "" : ", " + extra)});
        if (result.batch == 0) {
            cells.push_back({"nothing fits: " + result.reason, Tone::warning});
        } else {
            cells.push_back({batch_text(result)});
            cells.push_back({or_dash(result.throughput_tok_per_s), Tone::strong});
            cells.push_back({result.tpot_s ? milliseconds(*result.tpot_s) : "-"});
            cells.push_back({or_dash(result.energy_j_per_token)});
            cells.push_back({or_dash(result.tokens_per_usd)});
            cells.push_back({held_back_by(result), Tone::accent});
        }
        table.add(std::move(cells));
    }

    std::vector<std::string> title;
    if (same_model) title.push_back(results.front().model);
    if (same_context) {
        title.push_back(format_tokens(results.front().context_tokens) + " tokens of context");
    }
    title.push_back(fmt::format("{} result{}", results.size(), results.size() == 1 ? "" : "s"));
    std::string out;
    for (const std::string& line :
         wrapped(printable(fmt::format("{}; modelled, not measured", fmt::join(title, ", "))),
                 terminal_columns)) {
        out += painted(line, Tone::strong, colour) + '\n';
    }
    return out + table.render(terminal_columns, 2, colour);
}

}  // namespace memside
