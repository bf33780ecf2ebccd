// memside capacity: how much of PIM modules holds live KV, reserved or in chunks.
#include "base/number.h"
#include "base/quantity.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cluster/lengths_capacity.h"
#include "model/catalog.h"
#include "report/json_writer.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside capacity\n"
    "  memside capacity --lengths multifieldqa --model llama-3.1-70b --modules 32\n";

// As the papers ran the sets: long ones on models with GQA.
constexpr std::int64_t longest_without_gqa = 32768;
constexpr const char* model_without_gqa = "qwen1.5-7b";
constexpr const char* model_with_gqa = "llama-3.1-8b";

// What PIMphony states of these sets and models, mean of the four (section 4 of the paper's facts).
constexpr double stated_static = 0.362;
constexpr double stated_chunked = 0.756;

struct Row {
    LengthsCapacityRequest request;
    LengthsCapacity result;
};

Result<std::vector<Row>> read_rows(const Options& options) {
    const std::string wanted = options.text_or("--lengths", "all");
    std::vector<LengthStatistics> sets;
    if (wanted == "all") {
        sets.assign(length_statistics().begin(), length_statistics().end());
    } else {
        MEMSIDE_TRY(const LengthStatistics one, find_length_statistics(wanted, "--lengths"));
        sets.push_back(one);
    }
    std::vector<Row> rows;
    for (const LengthStatistics& set : sets) {
        Row row;
        row.request.lengths = set;
        const char* usual =
            set.window_tokens > longest_without_gqa ? model_with_gqa : model_without_gqa;
        MEMSIDE_TRY(row.request.model, load_model(options.text_or("--model", usual)));
        MEMSIDE_TRY(const std::int64_t modules, options.integer("--modules", 8, 1, 65536));
        row.request.modules = static_cast<int>(modules);
        MEMSIDE_TRY(
            row.request.module_bytes,
            parse_bytes(options.text_or("--module-capacity", "16GiB"), "--module-capacity"));
        MEMSIDE_TRY(row.request.chunk_bytes,
                    parse_bytes(options.text_or("--chunk", "1MiB"), "--chunk"));
        MEMSIDE_TRY(row.request.output_tokens, options.integer("--output-tokens", 128, 1, 1 << 20));
        MEMSIDE_TRY(row.request.steps, options.integer("--steps", 20000, 1, 10'000'000));
        MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
        row.request.seed = static_cast<std::uint64_t>(seed);
        MEMSIDE_TRY(row.result, lengths_capacity(row.request));
        rows.push_back(std::move(row));
    }
    return rows;
}

struct Way {
    const char* name;
    const char* key;
    kv::CapacityUse LengthsCapacity::* use;
};
constexpr std::array ways{
    Way{"reserved for the window", "reserved", &LengthsCapacity::reserved},
    Way{"chunks, one pool a request", "chunked", &LengthsCapacity::chunked},
    Way{"chunks, as compiled", "chunked_regions", &LengthsCapacity::chunked_regions}};

double mean_live(const std::vector<Row>& rows, const Way& way) {
    double sum = 0.0;
    for (const Row& row : rows) sum += (row.result.*way.use).live_share;
    return sum / static_cast<double>(rows.size());
}

std::string percent(double share) {
    return fmt::format("{:.1f} %", 100.0 * share);
}

std::string text_of(const std::vector<Row>& rows) {
    using Align = TextTable::Align;
    TextTable table({Align::left, Align::left, Align::right, Align::left, Align::right,
                     Align::right, Align::right});
    table.add({{"lengths", Tone::faint},
               {"model", Tone::faint},
               {"for KV", Tone::faint},
               {"memory", Tone::faint},
               {"live", Tone::faint},
               {"reserved", Tone::faint},
               {"batch", Tone::faint}});
    for (const Row& row : rows) {
        for (const Way& way : ways) {
            const bool first = &way == ways.data();
            const kv::CapacityUse& use = row.result.*way.use;
            table.add(
                {{first ? std::string(row.request.lengths.name) : ""},
                 {first ? row.request.model.name : ""},
                 {first ? format_bytes(static_cast<double>(row.result.kv_capacity_bytes)) : ""},
                 {way.name},
                 {percent(use.live_share)},
                 {percent(use.reserved_share)},
                 {fmt::format("{:.1f}", use.requests)}});
        }
    }
    std::string text =
        fmt::format("{} modules of {}; modelled: requests come and go, time averages\n\n{}",
                    rows.front().request.modules,
                    format_bytes(static_cast<double>(rows.front().request.module_bytes)),
                    table.render(terminal_columns, 0, wants_colour()));
    text += "\nmean of live KV over what is left for KV\n";
    for (const Way& way : ways) {
        text += fmt::format("  {:<28}{}\n", way.name, percent(mean_live(rows, way)));
    }
    text += fmt::format(
        "  assumed: lengths are beta distributed with the published figures; {} output tokens "
        "each\n",
        rows.front().request.output_tokens);
    return text + fmt::format(
                      "  stated by PIMphony: {} static, {} with chunks (its definition is "
                      "not published)\n",
                      percent(stated_static), percent(stated_chunked));
}

std::string json_of(const std::vector<Row>& rows) {
    JsonWriter json;
    json.begin_object();
    json.key("sets");
    json.begin_array();
    for (const Row& row : rows) {
        json.begin_object();
        json.member("lengths", row.request.lengths.name);
        json.member("model", row.request.model.name);
        json.member("modules", std::int64_t{row.request.modules});
        json.member("kv_capacity_bytes", row.result.kv_capacity_bytes);
        json.member("kv_bytes_per_token", row.result.bytes_per_token);
        json.member("regions_per_request", row.result.regions_per_request);
        for (const Way& way : ways) {
            const kv::CapacityUse& use = row.result.*way.use;
            json.key(way.key);
            json.begin_object();
            json.member("live_share", use.live_share);
            json.member("reserved_share", use.reserved_share);
            json.member("requests", use.requests);
            json.member("preemptions_per_request", use.preemptions);
            json.end_object();
        }
        json.end_object();
    }
    json.end_array();
    json.key("mean_live_share");
    json.begin_object();
    for (const Way& way : ways) json.member(way.key, mean_live(rows, way));
    json.member("stated_static", stated_static);
    json.member("stated_chunked", stated_chunked);
    json.end_object();
    json.end_object();
    return std::move(json).finish();
}

}  // namespace

int run_capacity(const std::vector<std::string>& arguments) {
    Options options("capacity",
                    "How much of PIM modules holds live KV while requests of a benchmark's lengths "
                    "come and go:\nwith a window reserved for each, and with memory in chunks.",
                    examples);
    options.add("--lengths", "SET",
                "qmsum, musique, multifieldqa, loogle-sd, or all of them (default)");
    options.add("--model", "NAME|FILE",
                "default: qwen1.5-7b for the sets of a 32K window, llama-3.1-8b for those of 128K");
    options.add("--modules", "N", "default: 8");
    options.add("--module-capacity", "BYTES", "default: 16 GiB");
    options.add("--chunk", "BYTES", "default: 1 MiB");
    options.add("--output-tokens", "N", "of each request (default: 128)");
    options.add("--steps", "N", "that count, after as many that do not (default: 20000)");
    options.add("--seed", "N", "of the lengths (default: 1)");
    options.add("--json", "FILE", "the same as JSON; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("capacity", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<bool> on_standard_output = check_outputs(options, {"--json"}, {});
    if (!on_standard_output.ok()) return fail("capacity", on_standard_output.error());
    const Result<std::vector<Row>> rows = read_rows(options);
    if (!rows.ok()) return fail("capacity", rows.error());
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, json_of(*rows));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("capacity", written.error());
    }
    return *on_standard_output ? 0 : print("capacity", text_of(*rows));
}

}  // namespace memside::cli
