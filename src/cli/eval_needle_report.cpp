#include "cli/eval_needle_report.h"

#include "base/number.h"
#include "report/csv.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside::cli {
namespace {

using Align = TextTable::Align;

const engine::KvPolicy* policy_of(const NeedleReport& report, std::size_t policy) {
    return policy == 0 ? nullptr : &report.request.policies[policy - 1];
}

void write_counts(JsonWriter& json, std::int64_t trials, std::int64_t dense_found,
                  std::int64_t found, std::int64_t lost, std::int64_t gained,
                  const eval::ReadCost& cost) {
    json.member("trials", trials);
    json.member("dense_found", dense_found);
    json.member("found", found);
    json.member("lost", lost);
    json.member("gained", gained);
    json.member("kv_bytes_read_per_step", cost.kv_bytes_per_step());
    json.member("digest_bytes_read_per_step", cost.digest_bytes_per_step());
}

std::string percent(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return "-";
    return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// Dense: how many it found of each cell, contexts below each other.
std::string dense_table(const NeedleReport& report, bool colour) {
    std::vector<Align> columns(report.setup.depths.size() + 1, Align::right);
    TextTable table(columns);
    std::vector<Cell> head{{"context", Tone::strong}};
    for (const double depth : report.setup.depths) {
        head.push_back({fmt::format("{:.3g}", depth), Tone::strong});
    }
    table.add(head);
    for (std::size_t c = 0; c < report.setup.contexts.size(); ++c) {
        std::vector<Cell> row{{format_tokens(report.setup.contexts[c])}};
        for (const eval::NeedleCell& cell : report.cells) {
            if (cell.policy != 0 || cell.context != c) continue;
            row.push_back({fmt::format("{}", cell.found), cell.counts ? Tone::plain : Tone::faint});
        }
        table.add(row);
    }
    return table.render(terminal_columns, 2, colour);
}

std::string totals_table(const NeedleReport& report, bool colour) {
    TextTable table({Align::right, Align::left, Align::left, Align::left, Align::right,
                     Align::right, Align::right, Align::right, Align::right, Align::right});
    std::vector<Cell> head;
    for (const char* name : {"budget", "digest", "set per", "group", "cells", "found", "of dense's",
                             "lost in 100", "KV a step", "digests"}) {
        head.push_back({name, Tone::strong});
    }
    table.add(head);
    for (const eval::NeedleTotal& total : report.totals) {
        if (total.policy == 0) continue;
        const std::vector<std::string> cells = policy_cells(policy_of(report, total.policy));
        const bool any = total.dense_found > 0;
        table.add(
            {{format_tokens(report.request.policies[total.policy - 1].selection.budget_tokens)},
             {cells[2]},
             {cells[3]},
             {cells[4].empty() ? "-" : cells[4]},
             {fmt::format("{}", total.cells)},
             {percent(total.found, total.trials)},
             {fmt::format("{}", total.dense_found)},
             {any ? fmt::format("{:.2f}", total.lost_per_100()) : "-",
              total.lost > 0 ? Tone::warning : Tone::plain},
             {any ? format_bytes(total.cost.kv_bytes_per_step()) : "-"},
             {any ? format_bytes(total.cost.digest_bytes_per_step()) : "-"}});
    }
    return table.render(terminal_columns, 2, colour);
}

}  // namespace

std::string to_json(const NeedleReport& report) {
    const eval::NeedleSetup& setup = report.setup;
    JsonWriter json;
    json.begin_object();
    json.member("evaluation", "needle");
    write_eval_members(json, report.request);
    json.member("needle", setup.wording.needle);
    json.member("question", setup.wording.question);
    json.member("value_digits", setup.wording.value_digits);
    json.member("first_trial", setup.first_trial);
    json.member("trials", setup.trials);
    json.key("contexts_tokens");
    json.begin_array(JsonWriter::Layout::one_line);
    for (const std::int64_t context : setup.contexts) json.value(context);
    json.end_array();
    json.key("depths");
    json.begin_array(JsonWriter::Layout::one_line);
    for (const double depth : setup.depths) json.value(depth);
    json.end_array();
    json.key("totals");
    json.begin_array();
    for (const eval::NeedleTotal& total : report.totals) {
        json.begin_object(JsonWriter::Layout::one_line);
        write_policy_members(json, policy_of(report, total.policy));
        json.member("cells_counted", total.cells);
        write_counts(json, total.trials, total.dense_found, total.found, total.lost, total.gained,
                     total.cost);
        json.key("lost_per_100");
        if (total.dense_found > 0) {
            json.value(total.lost_per_100());
        } else {
            json.null();
        }
        json.end_object();
    }
    json.end_array();
    json.key("cells");
    json.begin_array();
    for (const eval::NeedleCell& cell : report.cells) {
        json.begin_object(JsonWriter::Layout::one_line);
        write_policy_members(json, policy_of(report, cell.policy));
        json.member("context_tokens", setup.contexts[cell.context]);
        json.member("depth", setup.depths[cell.depth]);
        json.member("counts", cell.counts);
        write_counts(json, cell.trials, cell.dense_found, cell.found, cell.lost, cell.gained,
                     cell.cost);
        json.end_object();
    }
    json.end_array();
    json.key("wrong_answers");
    json.begin_array();
    for (const eval::NeedleAnswer& answer : report.answers) {
        if (answer.found) continue;
        json.begin_object(JsonWriter::Layout::one_line);
        write_policy_members(json, policy_of(report, answer.policy));
        json.member("context_tokens", setup.contexts[answer.context]);
        json.member("depth", setup.depths[answer.depth]);
        json.member("trial", answer.trial);
        json.member("text", answer.text);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

std::string to_csv(const NeedleReport& report) {
    std::vector<std::string> columns = policy_columns();
    for (const char* name :
         {"page_size_tokens", "context_tokens", "depth", "counts", "trials", "dense_found", "found",
          "lost", "gained", "kv_bytes_read_per_step", "digest_bytes_read_per_step", "seed"}) {
        columns.emplace_back(name);
    }
    std::string csv = csv_line(columns);
    for (const eval::NeedleCell& cell : report.cells) {
        std::vector<std::string> cells = policy_cells(policy_of(report, cell.policy));
        cells.push_back(fmt::format("{}", report.request.decoder.page_tokens));
        cells.push_back(fmt::format("{}", report.setup.contexts[cell.context]));
        cells.push_back(shortest(report.setup.depths[cell.depth]));
        cells.push_back(cell.counts ? "true" : "false");
        for (const std::int64_t count :
             {cell.trials, cell.dense_found, cell.found, cell.lost, cell.gained}) {
            cells.push_back(fmt::format("{}", count));
        }
        cells.push_back(shortest(cell.cost.kv_bytes_per_step()));
        cells.push_back(shortest(cell.cost.digest_bytes_per_step()));
        cells.push_back(fmt::format("{}", report.setup.seed));
        csv += csv_line(cells);
    }
    return csv;
}

std::string to_text(const NeedleReport& report, bool colour) {
    const eval::NeedleTotal& dense = report.totals.front();
    const std::size_t all = report.setup.contexts.size() * report.setup.depths.size();
    return fmt::format(
        "Dense, needles found of {} by context and depth; {} of {} cells count (9 in 10 found)\n\n"
        "{}\nSelected, in the cells that count and whose context is more than twice the budget\n\n"
        "{}",
        report.setup.trials, dense.cells, all, dense_table(report, colour),
        totals_table(report, colour));
}

}  // namespace memside::cli
