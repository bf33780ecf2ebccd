// memside simulate: one model on one system under one policy.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cluster/policy.h"
#include "cluster/simulate.h"
#include "model/catalog.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/table.h"
#include "report/trace.h"
#include "system/catalog.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside simulate --model llama-3.1-70b --system a100x2-pnm8 --policy pnm-kv --context 128K\n"
    "  memside simulate --model llama-3.1-405b --system rack-2x8a100-pnm64 --policy pnm-kv \\\n"
    "      --context 1M --page-size 64 --json result.json --report result.html\n"
    "  memside simulate --model ./config.json --system a100x4 --policy dense --context 32K \\\n"
    "      --set gpu.memory_bandwidth='3 TB/s' --json -\n";

constexpr std::int64_t max_page_tokens = 65'536;
constexpr std::int64_t max_count = 1'000'000;

void declare(Options& options) {
    options.add("--model", "NAME|FILE", "preset, config.json or .gguf file");
    options.add("--system", "NAME|FILE", "named system or a system's YAML file");
    options.add("--policy", "NAME", "dense, recall, pnm-kv, png-kv ('memside list policies')");
    options.add("--context", "TOKENS", "context of every request: 131072, 128K, 1M");
    options.add("--batch", "N|max", "requests decoded together (default: max)");
    options.add("--workload", "FILE", "CSV or JSONL with context_tokens of each request");
    options.add("--placement", "NAME", "requests to devices: lpt (default) or round-robin");
    options.add("--budget", "TOKENS", "tokens attended (default: a quarter of the context)");
    options.add("--page-size", "TOKENS", "a power of two (default: 32)");
    options.add("--digest", "KIND", "minmax, centre-max, centre-mad, centre-std");
    options.add("--digest-type", "TYPE", "f16 (default) or int8");
    options.add("--kv-type", "TYPE", "f16 (default), bf16, fp8, int8, int4");
    options.add("--sink-pages", "N", "first pages always selected, within the budget");
    options.add("--recent-pages", "N", "last pages always selected, within the budget");
    options.add("--dense-layers", "N", "first layers that attend to every page");
    options.add("--steps", "N", "steps that selection runs (default: 8)");
    options.add("--warmup", "N", "steps before the first that counts (default: 2)");
    options.add("--scores", "synthetic|FILE", "where page scores come from (default: synthetic)");
    options.add("--select-sample", "N|all",
                "(request, layer) pairs that run selection (default: 8)");
    options.add("--overlap", "none|half-batches", "FC of one half hides attention of the other");
    options.add("--threads", "N", "0: all cores (default)");
    options.add("--seed", "N", "of everything random (default: 1)");
    options.add_repeated("--set", "KEY=VALUE",
                         "override a constant: gpu.memory_bandwidth='3 TB/s'");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    options.add("--csv", "FILE", "result as one row of CSV; '-' for standard output");
    options.add("--report", "FILE.html", "result as one offline page");
    options.add("--trace", "FILE.json", "one step as a Chrome/Perfetto trace");
    // Promised by the command line's documentation, not modelled yet: refused by name.
    for (const char* name :
         {"--requests", "--output-tokens", "--arrival-rate", "--partition", "--scheduler",
          "--access", "--tp", "--pp", "--parallel", "--row-reuse", "--refresh"}) {
        options.add(name, "VALUE", "not modelled yet");
    }
}

Status refuse_unmodelled(const Options& options) {
    for (const char* name : {"--requests", "--output-tokens", "--arrival-rate"}) {
        if (options.text(name)) {
            return bad_input(name, "is not modelled yet: no request arrives or ends");
        }
    }
    for (const char* name : {"--partition", "--scheduler", "--access", "--tp", "--pp", "--parallel",
                             "--row-reuse", "--refresh"}) {
        if (options.text(name)) {
            return bad_input(name, "belongs to --policy pim, which is not modelled yet");
        }
    }
    return {};
}

Result<kv::PageFormat> page_format(const Options& options, const ModelSpec& model) {
    kv::PageFormat format;
    MEMSIDE_TRY(format.page_tokens, options.integer("--page-size", 32, 1, max_page_tokens));
    if ((format.page_tokens & (format.page_tokens - 1)) != 0) {
        return bad_input("--page-size", fmt::format("{} is not a power of two; allowed: 1, 2, 4 to "
                                                    "{}",
                                                    format.page_tokens, max_page_tokens));
    }
    MEMSIDE_TRY(const std::size_t value,
                options.choice("--kv-type", "f16", kv::value_type_names()));
    MEMSIDE_TRY(const std::size_t kind,
                options.choice("--digest", "minmax", kv::digest_kind_names()));
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--digest-type", "f16", kv::digest_type_names()));
    format.value_type = static_cast<kv::ValueType>(value);
    format.digest_kind = static_cast<kv::DigestKind>(kind);
    format.digest_type = static_cast<kv::DigestType>(type);
    MEMSIDE_TRY(const std::int64_t dense, options.integer("--dense-layers", 0, 0, model.layers));
    format.dense_layers = static_cast<int>(dense);
    return format;
}

Result<SelectionOptions> selection_options(
    const Options& options, const std::vector<std::pair<std::string, std::string>>& scores) {
    SelectionOptions selection;
    MEMSIDE_TRY(selection.pinned.sink, options.integer("--sink-pages", 0, 0, max_count));
    MEMSIDE_TRY(selection.pinned.recent, options.integer("--recent-pages", 0, 0, max_count));
    MEMSIDE_TRY(selection.steps, options.integer("--steps", selection.steps, 1, max_count));
    MEMSIDE_TRY(selection.warmup_steps,
                options.integer("--warmup", selection.warmup_steps, 0, max_count));
    if (options.text_or("--select-sample", "8") == "all") {
        selection.sample_pairs = 0;
    } else {
        MEMSIDE_TRY(selection.sample_pairs,
                    options.integer("--select-sample", selection.sample_pairs, 1, max_count));
    }
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    selection.threads = static_cast<unsigned>(threads);
    selection.scores = options.text_or("--scores", "synthetic");
    for (const auto& [name, text] : scores) {
        const std::string where = "--set scores." + name;
        MEMSIDE_TRY(const double value, parse_number(text, where));
        MEMSIDE_CHECK(kv::set_synthetic_parameter(selection.synthetic, name, value, where));
    }
    return selection;
}

Result<std::vector<std::pair<std::string, std::string>>> overrides(const Options& options) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& text : options.all("--set")) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return bad_input("--set", in_quotes(text) + " is not of the form key=value");
        }
        pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return pairs;
}

Result<SimulationRequest> read_request(const Options& options) {
    SimulationRequest request;
    MEMSIDE_TRY(const std::string model, options.required("--model"));
    MEMSIDE_TRY(const std::string system, options.required("--system"));
    MEMSIDE_TRY(request.policy, options.required("--policy"));
    MEMSIDE_CHECK(refuse_unmodelled(options));
    const auto workload = options.text("--workload");
    if (workload && (options.text("--context") || options.text("--batch"))) {
        return bad_input("--workload",
                         "gives context and batch itself; leave out --context and "
                         "--batch");
    }
    const std::string context = options.text_or("--context", "");
    if (!workload && !options.text("--context")) return options.required("--context").error();
    MEMSIDE_TRY([[maybe_unused]] const Policy* policy, find_policy(request.policy));
    if (workload) {
        MEMSIDE_TRY(request.workload, read_workload(*workload));
    } else {
        MEMSIDE_TRY(request.context_tokens, parse_tokens(context, "--context"));
    }
    MEMSIDE_TRY(const std::size_t placement,
                options.choice("--placement", "lpt", {"lpt", "round-robin"}));
    request.placement = static_cast<Placement>(placement);
    MEMSIDE_TRY(request.model, load_model(model));
    MEMSIDE_TRY(auto set, overrides(options));
    // scores.NAME belongs to the synthetic score source, all else to the system.
    std::vector<std::pair<std::string, std::string>> scores;
    std::erase_if(set, [&](const auto& pair) {
        constexpr std::string_view prefix = "scores.";
        if (!pair.first.starts_with(prefix)) return false;
        scores.emplace_back(pair.first.substr(prefix.size()), pair.second);
        return true;
    });
    MEMSIDE_TRY(request.system, load_system(system, set));
    MEMSIDE_TRY(request.format, page_format(options, request.model));
    MEMSIDE_TRY(request.selection, selection_options(options, scores));
    MEMSIDE_TRY(const std::size_t overlap,
                options.choice("--overlap", "none", {"none", "half-batches"}));
    request.half_batches = overlap == 1;
    if (options.text_or("--batch", "max") != "max") {
        MEMSIDE_TRY(request.batch, options.integer("--batch", 0, 1, max_count));
    }
    if (const auto budget = options.text("--budget")) {
        MEMSIDE_TRY(request.budget_tokens, parse_tokens(*budget, "--budget"));
    }
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    request.seed = static_cast<std::uint64_t>(seed);
    return request;
}

Status check_outputs(const Options& options) {
    std::vector<std::string> paths;
    for (const char* name : {"--json", "--csv", "--report", "--trace"}) {
        const auto path = options.text(name);
        if (!path) continue;
        if (path->empty()) return bad_input(name, "is empty; allowed: a file name or '-'");
        if (std::find(paths.begin(), paths.end(), *path) != paths.end()) {
            return bad_input(name, in_quotes(*path) + " is the target of another output too");
        }
        paths.push_back(*path);
    }
    return {};
}

// Every output is rendered before the first byte is written.
Status write_outputs(const Options& options, const SimulationResult& result,
                     const std::string& command_line) {
    OutputSet outputs;
    bool standard_output = false;
    const auto add = [&](const std::string& path, std::string content) {
        standard_output |= path == "-";
        outputs.add(path, std::move(content));
    };
    if (const auto path = options.text("--json")) add(*path, to_json(result));
    if (const auto path = options.text("--csv")) add(*path, to_csv({result}));
    if (const auto path = options.text("--report")) {
        MEMSIDE_TRY(std::string page, html_report({result}, {"", command_line}));
        add(*path, std::move(page));
    }
    if (const auto path = options.text("--trace")) add(*path, to_trace(result));
    if (!standard_output) add("-", summary(result, isatty(STDOUT_FILENO) == 1));
    return outputs.commit();
}

}  // namespace

int run_simulate(const std::vector<std::string>& arguments) {
    Options options("simulate",
                    "Simulates decoding on a modelled system. All figures are modelled.", examples);
    declare(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("simulate", parsed.error());
    }
    if (options.help_shown()) return 0;
    if (const Status outputs = check_outputs(options); !outputs.ok()) {
        return fail("simulate", outputs.error());
    }
    const Result<SimulationRequest> request = read_request(options);
    if (!request.ok()) return fail("simulate", request.error());
    const Result<SimulationResult> result = simulate(*request);
    if (!result.ok()) return fail("simulate", result.error());
    const std::string command_line = "memside simulate " + join(arguments, " ");
    if (const Status written = write_outputs(options, *result, command_line); !written.ok()) {
        return fail("simulate", written.error());
    }
    if (!result->reason.empty()) {
        return fail("simulate",
                    Error{"", "nothing fits: " + result->reason, Error::Kind::infeasible});
    }
    return 0;
}

}  // namespace memside::cli
