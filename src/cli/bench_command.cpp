// memside bench: measures this machine. `attention` is decode attention of one layer, `decode`
// whole steps of a model.
#include <bit>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/bench_decode.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "engine/attention_bench.h"
#include "engine/kv_store.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside bench attention --context 128K --heads 32 --kv-heads 8 --head-dim 64 --threads 2\n"
    "  memside bench attention --context 1M --policy select --budget 4096 --threads 1 --json -\n";

Result<engine::AttentionBenchOptions> read_options(const Options& options) {
    engine::AttentionBenchOptions bench;
    MEMSIDE_TRY(const std::string context, options.required("--context"));
    MEMSIDE_TRY(bench.context_tokens, parse_tokens(context, "--context"));
    MEMSIDE_TRY(const std::int64_t heads, options.integer("--heads", 32, 1, 1024));
    MEMSIDE_TRY(const std::int64_t kv_heads, options.integer("--kv-heads", 8, 1, 1024));
    MEMSIDE_TRY(const std::int64_t head_dim, options.integer("--head-dim", 64, 2, 1024));
    if (heads % kv_heads != 0) {
        return bad_input("--heads",
                         fmt::format("{} is not a multiple of the {} KV heads", heads, kv_heads));
    }
    bench.heads = static_cast<int>(heads);
    bench.kv_heads = static_cast<int>(kv_heads);
    bench.head_dim = static_cast<int>(head_dim);
    const std::vector<kv::ValueType> types{kv::ValueType::f16, kv::ValueType::bf16,
                                           kv::ValueType::int8};
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--kv-type", "f16", {"f16", "bf16", "int8"}));
    bench.kv_type = types[type];
    MEMSIDE_TRY(const std::size_t policy, options.choice("--policy", "dense", {"dense", "select"}));
    bench.select = policy == 1;
    for (const char* name : {"--budget", "--digest", "--digest-type"}) {
        if (bench.select || !options.text(name)) continue;
        return bad_input(name, "has no meaning for --policy dense; it is for select");
    }
    MEMSIDE_TRY(const std::size_t digest,
                options.choice("--digest", "minmax", kv::digest_kind_names()));
    bench.digest_kind = static_cast<kv::DigestKind>(digest);
    MEMSIDE_TRY(const std::size_t digest_type,
                options.choice("--digest-type", "f16", kv::digest_type_names()));
    bench.digest_type = static_cast<kv::DigestType>(digest_type);
    MEMSIDE_TRY(const std::size_t keys,
                options.choice("--keys", "random", {"random", "clustered"}));
    bench.clustered = keys == 1;
    MEMSIDE_TRY(bench.budget_tokens, parse_tokens(options.text_or("--budget", "4096"), "--budget"));
    MEMSIDE_TRY(bench.page_tokens, options.integer("--page-size", 64, engine::min_page_tokens,
                                                   engine::max_page_tokens));
    if (!std::has_single_bit(static_cast<std::uint64_t>(bench.page_tokens))) {
        return bad_input("--page-size", fmt::format("{} is not a power of two", bench.page_tokens));
    }
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 1, 0, 1024));
    bench.threads = static_cast<unsigned>(threads);
    MEMSIDE_TRY(const std::int64_t distinct, options.integer("--distinct-mib", 0, 1, 1 << 24));
    bench.distinct_bytes = distinct << 20;
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    bench.seed = static_cast<std::uint64_t>(seed);
    return bench;
}

std::string to_json(const engine::AttentionBenchResult& result, bool select) {
    JsonWriter json;
    json.begin_object();
    json.member("ns_per_token_per_layer", result.ns_per_token_per_layer);
    json.member("bytes_read", result.bytes_read);
    if (select) {
        json.member("select_ns_per_layer", result.select_ns_per_layer);
        json.member("digests_read", result.digests_read);
        json.member("digest_ns_per_layer", result.digest_ns_per_layer);
    }
    json.member("gb_per_s", result.gb_per_s);
    json.member("stream_gb_per_s", result.stream_gb_per_s);
    json.member("fraction_of_stream", result.fraction_of_stream);
    json.member("layers", result.layers);
    json.member("repetitions", result.repetitions);
    json.member("kernel", result.kernel);
    json.end_object();
    return std::move(json).finish();
}

std::string to_text(const engine::AttentionBenchResult& result, bool select) {
    std::string text = fmt::format(
        "attention of one layer  {} (median of {} over {} layers, {})\n"
        "read                    {}, {:.1f} GB/s\n"
        "stream in the same run  {:.1f} GB/s; attention reaches {:.0f} % of it\n",
        format_seconds(result.ns_per_token_per_layer * 1e-9), result.repetitions, result.layers,
        result.kernel, format_bytes(static_cast<double>(result.bytes_read)), result.gb_per_s,
        result.stream_gb_per_s, 100.0 * result.fraction_of_stream);
    if (select) {
        text += fmt::format(
            "of it selecting         {}; {:.0f} % of the pages' digests read\n"
            "digests of a new token  {} a layer\n",
            format_seconds(result.select_ns_per_layer * 1e-9), 100.0 * result.digests_read,
            format_seconds(result.digest_ns_per_layer * 1e-9));
    }
    return text;
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
    if (!arguments.empty() && arguments.front() == "decode") {
        return run_bench_decode({arguments.begin() + 1, arguments.end()});
    }
    if (!arguments.empty() && !arguments.front().starts_with("-") &&
        arguments.front() != "attention") {
        return fail("bench",
                    bad_input("", fmt::format("unknown benchmark {}; allowed: attention, decode",
                                              in_quotes(arguments.front()))));
    }
    Options options("bench attention", "Measures decode attention of one layer on this machine.",
                    examples);
    options.add("--context", "TOKENS", "tokens attended: 32K, 128K, 1M");
    options.add("--heads", "N", "query heads (default: 32)");
    options.add("--kv-heads", "N", "key and value heads (default: 8)");
    options.add("--head-dim", "N", "values per head (default: 64)");
    options.add("--kv-type", "TYPE", "f16 (default), bf16 or int8");
    options.add("--policy", "NAME", "dense (default) or select");
    options.add("--budget", "TOKENS", "tokens attended of a selection (default: 4096)");
    options.add("--digest", "KIND", "minmax (default), centre-max, centre-mad or centre-std");
    options.add("--digest-type", "TYPE", "of a selection: f16 (default) or int8");
    options.add("--keys", "KIND",
                "random (default), or clustered: passages of 10,000 tokens whose keys are alike");
    options.add("--page-size", "TOKENS", "a power of two from 16 (default: 64)");
    options.add("--threads", "N", "0: all cores (default: 1)");
    options.add("--distinct-mib", "N",
                "keys and values walked over (default: 4 x the last-level cache)");
    options.add("--seed", "N", "of keys, values and queries (default: 1)");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    const std::size_t skipped = arguments.empty() || arguments.front().starts_with("-") ? 0 : 1;
    if (const Status parsed = options.parse(
            {arguments.begin() + static_cast<std::ptrdiff_t>(skipped), arguments.end()});
        !parsed.ok()) {
        return fail("bench", parsed.error());
    }
    if (options.help_shown()) return 0;
    if (skipped == 0)
        return fail("bench", bad_input("", "what to measure? allowed: attention, decode"));
    const auto bench = read_options(options);
    if (!bench.ok()) return fail("bench", bench.error());
    const Result<bool> on_standard_output = check_outputs(options, {"--json"}, {});
    if (!on_standard_output.ok()) return fail("bench", on_standard_output.error());
    const auto result = engine::bench_attention(*bench);
    if (!result.ok()) return fail("bench", result.error());
    OutputSet outputs;
    if (const auto path = options.text("--json"))
        outputs.add(*path, to_json(*result, bench->select));
    if (!*on_standard_output) outputs.add("-", to_text(*result, bench->select));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("bench", written.error());
    }
    return 0;
}

}  // namespace memside::cli
