#include <set>
#include <tuple>

#include "base/text.h"
#include "report/html_parts.h"

namespace memside::html {
namespace {

// A column of the comparison: left out when no result has a value for it.
struct Column {
    std::string head;
    std::string unit;
    std::string (*cell)(const SimulationResult&);
    bool number = true;
};

std::string or_empty(const std::optional<double>& value, std::string (*text)(double)) {
    return value ? text(*value) : "";
}

std::string bytes_or_empty(const std::optional<std::int64_t>& value) {
    return value ? short_bytes(static_cast<double>(*value)) : "";
}

const std::vector<Column>& comparison_columns() {
    using R = SimulationResult;
    static const std::vector<Column> list{
        {"Batch", "requests", [](const R& r) { return batch_text(r); }},
        {"Throughput", "tok/s",
         [](const R& r) { return or_empty(r.throughput_tok_per_s, figure); }},
        {"Per token", "ms", [](const R& r) { return or_empty(r.tpot_s, milliseconds); }},
        {"p95", "ms", [](const R& r) { return or_empty(r.tpot_p95_s, milliseconds); }},
        {"First token", "s", [](const R& r) { return or_empty(r.ttft_s, figure); }},
        {"Energy", "J/token", [](const R& r) { return or_empty(r.energy_j_per_token, figure); }},
        {"Cost", "USD/h", [](const R& r) { return or_empty(r.usd_per_hour, figure); }},
        {"For money", "tok/USD", [](const R& r) { return or_empty(r.tokens_per_usd, figure); }},
        {"Held back by", "share of a step", held_back_by, false},
    };
    return list;
}

const std::vector<Column>& counter_columns() {
    using R = SimulationResult;
    static const std::vector<Column> list{
        {"KV", "per request", [](const R& r) { return bytes_or_empty(r.kv_bytes_per_request); }},
        {"Digests", "per request",
         [](const R& r) { return bytes_or_empty(r.digest_bytes_per_request); }},
        {"Requests", "per device",
         [](const R& r) {
             return r.capacity ? fmt::format("{}", r.capacity->requests_per_device) : "";
         }},
        {"Selected", "pages",
         [](const R& r) { return or_empty(r.pages_selected_per_step, figure); }},
        {"Recalled", "pages",
         [](const R& r) { return or_empty(r.pages_recalled_per_step, figure); }},
        {"Queue", "s", [](const R& r) { return or_empty(r.queue_s, figure); }},
        {"KV capacity", "live",
         [](const R& r) { return or_empty(r.kv_capacity_utilization, percent); }},
        {"Fullest device", "over mean",
         [](const R& r) { return or_empty(r.load_imbalance, figure); }},
        {"KV read", "per step",
         [](const R& r) { return or_empty(r.kv_bytes_read_per_step, short_bytes); }},
        {"Digests read", "per step",
         [](const R& r) { return or_empty(r.digest_bytes_read_per_step, short_bytes); }},
        {"GPUs", "busy", [](const R& r) { return or_empty(r.gpu_utilization, percent); }},
        {"Devices", "busy", [](const R& r) { return or_empty(r.device_utilization, percent); }},
        {"PIM MACs", "busy", [](const R& r) { return or_empty(r.pim_mac_utilization, percent); }},
        {"TP", "ways", [](const R& r) { return r.tp ? fmt::format("{}", *r.tp) : ""; }},
        {"PP", "stages", [](const R& r) { return r.pp ? fmt::format("{}", *r.pp) : ""; }},
    };
    return list;
}

// One row per result. Where nothing fits, the reason stands in place of the figures, unless
// `with_reason` is false: then the few figures that there are.
std::string figures_table(const Results& results, const ResultLabels& labels,
                          const std::vector<Column>& columns, bool with_reason) {
    std::vector<const Column*> shown;
    for (const Column& column : columns) {
        if (std::any_of(results.begin(), results.end(), [&](const SimulationResult& r) {
                return (r.batch > 0 || !with_reason) && !column.cell(r).empty();
            })) {
            shown.push_back(&column);
        }
    }
    std::string out =
        "<div class=\"scroll\"><table class=\"figures\">\n<thead><tr><th>Configuration</th>";
    for (const Column* column : shown) {
        out += fmt::format("<th{}>{}<small>{}</small></th>",
                           column->number ? " class=\"number\"" : "", column->head, column->unit);
    }
    if (shown.empty()) out += "<th>Outcome</th>";
    out += "</tr></thead>\n<tbody>\n";
    const int fastest = best_of(results, &SimulationResult::throughput_tok_per_s, true);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const bool best = results.size() > 1 && static_cast<int>(i) == fastest;
        out += fmt::format("<tr{}><th scope=\"row\">{}<small>{}</small></th>",
                           best ? " class=\"best\"" : "", escaped(labels.labels[i].main),
                           escaped(labels.labels[i].detail));
        if (results[i].batch == 0 && with_reason) {
            out += fmt::format(
                "<td class=\"nothing\" colspan=\"{}\"><p><b>Nothing fits:</b> {}</p></td></tr>\n",
                std::max<std::size_t>(1, shown.size()), escaped(results[i].reason));
            continue;
        }
        for (const Column* column : shown) {
            const std::string cell = column->cell(results[i]);
            out += fmt::format("<td{}>{}</td>", column->number ? " class=\"number\"" : "",
                               cell.empty() ? "<span class=\"none\">-</span>" : escaped(cell));
        }
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

// Rows that several results may share: what they say, and which results they hold for.
struct SourcedRow {
    Assumption row;
    std::vector<std::size_t> results;
};

std::vector<SourcedRow> merged(const std::vector<std::vector<Assumption>>& per_result) {
    std::vector<SourcedRow> rows;
    std::map<std::tuple<std::string, std::string, std::string>, std::size_t> index;
    for (std::size_t i = 0; i < per_result.size(); ++i) {
        for (const Assumption& a : per_result[i]) {
            const auto [at, is_new] = index.try_emplace({a.key, a.value, a.source}, rows.size());
            if (is_new) rows.push_back({a, {}});
            auto& list = rows[at->second].results;
            if (list.empty() || list.back() != i) list.push_back(i);
        }
    }
    return rows;
}

std::string applies_to(const SourcedRow& row, const ResultLabels& labels) {
    constexpr std::size_t listed = 3;
    if (row.results.size() == labels.labels.size()) return "all";
    if (row.results.size() > listed) {
        return fmt::format("{} of {}", row.results.size(), labels.labels.size());
    }
    std::vector<std::string> names;
    for (const std::size_t i : row.results) names.push_back(labels.labels[i].line());
    return join(names, "; ");
}

std::string sourced_table(const std::vector<SourcedRow>& rows, const ResultLabels& labels,
                          std::string_view key_head) {
    const bool several = labels.labels.size() > 1;
    std::string out = fmt::format(
        "<div class=\"scroll\"><table class=\"sources\">\n<thead><tr><th>{}</th><th>Value</th>"
        "<th>Source</th>{}</tr></thead>\n<tbody>\n",
        key_head, several ? "<th>Holds for</th>" : "");
    for (const SourcedRow& row : rows) {
        const bool assumed = row.row.source.starts_with("assumed");
        // A number stays with its unit; a path may break.
        constexpr std::size_t short_value = 24;
        out += fmt::format(
            "<tr><td><code>{}</code></td><td{}>{}</td><td{}>{}</td>", escaped(row.row.key),
            row.row.value.size() <= short_value ? " class=\"short\"" : "", escaped(row.row.value),
            assumed ? " class=\"assumed\"" : "", escaped(row.row.source));
        if (several) out += fmt::format("<td>{}</td>", escaped(applies_to(row, labels)));
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

}  // namespace

std::string comparison_table(const Results& results, const ResultLabels& labels) {
    return fmt::format("<section>\n<h2>{}</h2>\n", results.size() == 1 ? "Result" : "Comparison") +
           figures_table(results, labels, comparison_columns(), true) + "</section>\n";
}

std::string counters(const Results& results, const ResultLabels& labels) {
    return "<section>\n<h2>What ran</h2>\n<p class=\"note\">Pages are means per request "
           "and layer, bytes are those of the whole batch and all layers, in one step.</p>\n" +
           figures_table(results, labels, counter_columns(), false) + "</section>\n";
}

std::string assumptions(const Results& results, const ResultLabels& labels) {
    std::vector<std::vector<Assumption>> per_result;
    for (const SimulationResult& result : results) per_result.push_back(all_assumptions(result));
    const std::vector<SourcedRow> rows = merged(per_result);
    if (rows.empty()) return "";
    return "<section>\n<h2>Assumptions</h2>\n<p class=\"note\">What the figures rest on that no "
           "source backs: defaults, simplifications, and the assumed ones among the constants."
           "</p>\n" +
           sourced_table(rows, labels, "Assumption") + "</section>\n";
}

std::string constants(const Results& results, const ResultLabels& labels) {
    std::vector<std::vector<Assumption>> per_result;
    for (const SimulationResult& result : results) {
        auto& list = per_result.emplace_back();
        for (const Constant& c : result.constants) list.push_back({c.path, c.text, c.source});
    }
    const std::vector<SourcedRow> rows = merged(per_result);
    if (rows.empty()) return "";
    const auto assumed = std::count_if(rows.begin(), rows.end(), [](const SourcedRow& row) {
        return row.row.source.starts_with("assumed");
    });
    return fmt::format(
               "<section>\n<details>\n<summary>All {} constants that were read, with their sources "
               "({} assumed)</summary>\n",
               rows.size(), assumed) +
           sourced_table(rows, labels, "Constant") + "</details>\n</section>\n";
}

std::string reproduce(const Results& results, const std::string& command) {
    std::set<std::uint64_t> seeds;
    for (const SimulationResult& result : results) seeds.insert(result.seed);
    std::string out = "<section class=\"reproduce\">\n<h2>Reproduce</h2>\n";
    if (!command.empty()) {
        out += fmt::format("<pre><code>{}</code></pre>\n", escaped(command));
    }
    return out +
           fmt::format(
               "<p class=\"note\">memside {}, seed{} {}. The same version, seed and "
               "descriptions give the same bytes, on any number of threads.</p>\n</section>\n",
               MEMSIDE_VERSION, seeds.size() == 1 ? "" : "s", fmt::join(seeds, ", "));
}

}  // namespace memside::html
