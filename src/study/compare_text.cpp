// The comparison for the terminal, as CSV and as JSON.
#include "base/number.h"
#include "report/csv.h"
#include "report/format.h"
#include "report/json_writer.h"
#include "report/table.h"
#include "report/text_table.h"
#include "study/compare.h"

namespace memside {
namespace {

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

std::string heading(const CompareTable& table, const CompareRow& reference) {
    switch (table.at) {
        case CompareAt::capacity:
            return fmt::format("At equal capacity, {} of HBM and memory devices",
                               short_bytes(reference.size.capacity_bytes));
        case CompareAt::cost:
            return fmt::format("At equal cost, {} USD/h of hardware and electricity",
                               figure(reference.size.usd_per_hour));
        case CompareAt::power:
            break;
    }
    return fmt::format("At equal power, {} W of all devices at work",
                       figure(reference.size.power_w));
}

std::string table_text(const CompareTable& table, bool colour) {
    TextTable text({left, right, right, right, right, right, right, left});
    const bool power = table.at == CompareAt::power;
    const auto faint = [](const char* head) { return Cell{head, Tone::faint}; };
    text.add({faint("system"), faint("size"), faint("batch"), faint("tok/s"), faint("ms"),
              faint(power ? "tok/J full" : "tok/USD"), faint("J/tok"), faint("held back by")});
    for (const CompareRow& row : table.rows) {
        if (!row.runs()) {
            const std::string label = row.result.system.empty() ? row.family : row.label();
            text.add({{fmt::format("{}: {}", label, row.result.reason), Tone::warning}});
            continue;
        }
        const bool best = &row == &table.rows.front();
        text.add({{row.label(), best ? Tone::strong : Tone::plain},
                  {fmt::format("{:.0f} %", row.share * 100)},
                  {fmt::format("{}", row.result.batch)},
                  {figure(*row.result.throughput_tok_per_s)},
                  {milliseconds(*row.result.tpot_s)},
                  {figure(row.merit), best ? Tone::strong : Tone::plain},
                  {figure(*row.result.energy_j_per_token)},
                  {held_back_by(row.result)}});
    }
    std::string out = text.render(terminal_columns, 2, colour);
    for (const CompareRow& row : table.rows) {
        if (!row.ranged) continue;
        const std::string line =
            fmt::format("{}: {} {} is assumed, {} to {}; its rank {}", row.label(),
                        row.ranged->path, row.ranged->text, figure(row.ranged->range->low),
                        figure(row.ranged->range->high), flip_text(row));
        for (const std::string& part : wrapped(printable(line), terminal_columns - 2)) {
            out += "  " + painted(part, Tone::faint, colour) + '\n';
        }
    }
    return out;
}

std::string_view unit_of(const Constant& constant) {
    return constant.dimension == Dimension::watts ? "W" : "USD/h";
}

}  // namespace

std::string attends_text(const SimulationResult& result) {
    if (!result.budget_tokens || *result.budget_tokens >= result.context_tokens) return "all";
    return format_tokens(*result.budget_tokens);
}

std::string flip_text(const CompareRow& row) {
    if (!row.ranged) return "";
    if (row.flips.empty()) return "holds in the whole range";
    // The nearest on each side of the usual value.
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < row.flips.size(); ++i) {
        const Flip& flip = row.flips[i];
        const bool below = flip.at < row.ranged->value;
        const bool nearest =
            below ? i + 1 == row.flips.size() || row.flips[i + 1].at >= row.ranged->value
                  : i == 0 || row.flips[i - 1].at < row.ranged->value;
        if (!nearest) continue;
        parts.push_back(
            fmt::format("{} {} with {}", figure(flip.at), unit_of(*row.ranged), flip.other));
    }
    const std::size_t more = row.flips.size() - parts.size();
    return fmt::format("flips at {}{}", fmt::join(parts, " and "),
                       more == 0 ? "" : fmt::format(", and {} more", more));
}

std::string comparison_text(const Comparison& comparison, bool colour) {
    const CompareRow& reference = comparison.reference;
    std::string out = painted(fmt::format("{}; sizes as of {}; modelled, not measured",
                                          comparison.title, reference.label()),
                              Tone::strong, colour) +
                      '\n';
    for (const CompareTable& table : comparison.tables) {
        out += '\n' + painted(heading(table, reference), Tone::accent, colour) + '\n';
        out += table_text(table, colour);
    }
    return out;
}

std::string comparison_csv(const std::vector<Comparison>& comparisons) {
    std::vector<std::string> heads{"at", "family"};
    // All but the version in front.
    const std::vector<std::string> columns = csv_columns();
    heads.insert(heads.end(), columns.begin() + 1, columns.end());
    for (const char* head : {"rank", "capacity_bytes", "power_w", "share_of_reference", "merit",
                             "ranged", "range_low", "range_high", "flips"}) {
        heads.emplace_back(head);
    }
    std::string out = csv_line(heads);
    for (const Comparison& comparison : comparisons) {
        for (const CompareTable& table : comparison.tables) {
            for (std::size_t rank = 0; rank < table.rows.size(); ++rank) {
                const CompareRow& row = table.rows[rank];
                std::vector<std::string> cells{std::string(compare_at_name(table.at)), row.family};
                const std::vector<std::string> result = csv_cells(row.result);
                cells.insert(cells.end(), result.begin() + 1, result.end());
                cells.push_back(row.runs() ? std::to_string(rank + 1) : "");
                cells.push_back(shortest(row.size.capacity_bytes));
                cells.push_back(shortest(row.size.power_w));
                cells.push_back(shortest(row.share));
                cells.push_back(row.runs() ? shortest(row.merit) : "");
                cells.push_back(row.ranged ? row.ranged->path : "");
                cells.push_back(row.ranged ? shortest(row.ranged->range->low) : "");
                cells.push_back(row.ranged ? shortest(row.ranged->range->high) : "");
                cells.push_back(flip_text(row));
                out += csv_line(cells);
            }
        }
    }
    return out;
}

namespace {

void write_size(JsonWriter& json, const SystemSize& size) {
    json.member("capacity_bytes", size.capacity_bytes);
    json.member("usd_per_hour", size.usd_per_hour);
    json.member("power_w", size.power_w);
}

void write_row(JsonWriter& json, const CompareRow& row, std::size_t rank) {
    json.begin_object();
    json.member("family", row.family);
    json.member("system", row.result.system);
    json.member("policy", row.result.policy);
    json.member("rank", row.runs() ? std::optional(static_cast<std::int64_t>(rank)) : std::nullopt);
    write_size(json, row.size);
    json.member("share_of_reference", row.share);
    json.member("batch", row.result.batch);
    json.member("budget_tokens", row.result.budget_tokens);
    json.member("throughput_tok_per_s", row.result.throughput_tok_per_s);
    json.member("tpot_s", row.result.tpot_s);
    json.member("energy_j_per_token", row.result.energy_j_per_token);
    json.member("tokens_per_usd", row.result.tokens_per_usd);
    json.member("merit", row.runs() ? std::optional(row.merit) : std::nullopt);
    json.key("parts");
    json.begin_array();
    const auto parts = step_parts(row.result);
    for (std::size_t i = 0; row.runs() && i < parts.size(); ++i) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("name", step_part_names[i]);
        json.member("time_s", parts[i]);
        json.end_object();
    }
    json.end_array();
    json.key("range");
    if (row.ranged) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("key", row.ranged->path);
        json.member("value", row.ranged->value);
        json.member("low", row.ranged->range->low);
        json.member("high", row.ranged->range->high);
        json.end_object();
    } else {
        json.null();
    }
    json.key("flips");
    json.begin_array();
    for (const Flip& flip : row.flips) {
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("at", flip.at);
        json.member("with", flip.other);
        json.end_object();
    }
    json.end_array();
    json.member("reason", row.result.reason);
    json.end_object();
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("title", comparison.title);
    json.key("reference");
    json.begin_object();
    json.member("system", comparison.reference.result.system);
    json.member("policy", comparison.reference.result.policy);
    write_size(json, comparison.reference.size);
    json.end_object();
    json.key("tables");
    json.begin_array();
    for (const CompareTable& table : comparison.tables) {
        json.begin_object();
        json.member("at", compare_at_name(table.at));
        json.member("merit",
                    table.at == CompareAt::power ? "tokens_per_j_at_full_power" : "tokens_per_usd");
        json.key("rows");
        json.begin_array();
        for (std::size_t i = 0; i < table.rows.size(); ++i) write_row(json, table.rows[i], i + 1);
        json.end_array();
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

}  // namespace memside
