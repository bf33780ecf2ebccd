// memside simulate: one model on one system under one policy.
#include <algorithm>
#include <filesystem>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/simulate_options.h"
#include "cli/terminal.h"
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
        if (selection.scores != "synthetic") {
            return bad_input(where, "has no meaning for recorded scores (--scores " +
                                        in_quotes(selection.scores) + ")");
        }
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
    MEMSIDE_TRY(const Policy* policy, find_policy(request.policy));
    MEMSIDE_CHECK(refuse_meaningless(options, *policy));
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
    if (!scores.empty() && !policy->selects_pages()) {
        return bad_input("--set scores." + scores.front().first,
                         "has no meaning for --policy " + request.policy);
    }
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

// Files that the simulation reads, which no output may replace.
std::vector<NamedPath> input_files(const Options& options, const SimulationRequest& request) {
    std::vector<NamedPath> inputs;
    for (const char* name : {"--workload", "--scores"}) {
        if (const auto path = options.text(name)) inputs.push_back({name, *path});
    }
    const std::filesystem::path model = options.text_or("--model", "");
    inputs.push_back({"--model", model.string()});
    inputs.push_back({"--model", (model / "config.json").string()});
    if (const Result<std::string> data = data_dir(); data.ok()) {
        const auto preset = std::filesystem::path(*data) / "models" / model / "config.json";
        inputs.push_back({"--model", preset.string()});
    }
    for (std::string& path : description_files(request.system)) {
        inputs.push_back({"--system", std::move(path)});
    }
    return inputs;
}

// Every output is rendered before the first byte is written.
Status write_outputs(const Options& options, const SimulationResult& result,
                     const std::string& command_line, bool with_summary) {
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(result));
    if (const auto path = options.text("--csv")) outputs.add(*path, to_csv({result}));
    if (const auto path = options.text("--report")) {
        MEMSIDE_TRY(std::string page, html_report({result}, {"", command_line}));
        outputs.add(*path, std::move(page));
    }
    if (const auto path = options.text("--trace")) {
        MEMSIDE_CHECK(check_trace_size(result.timeline.size(), "--trace"));
        outputs.add(*path, to_trace(result));
    }
    if (with_summary) outputs.add("-", summary(result, wants_colour()));
    return outputs.commit();
}

}  // namespace

int run_simulate(const std::vector<std::string>& arguments) {
    Options options("simulate",
                    "Simulates decoding on a modelled system. All figures are modelled.", examples);
    declare_simulate_options(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("simulate", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<SimulationRequest> request = read_request(options);
    if (!request.ok()) return fail("simulate", request.error());
    const Result<bool> on_standard_output = check_outputs(
        options, {"--json", "--csv", "--report", "--trace"}, input_files(options, *request));
    if (!on_standard_output.ok()) return fail("simulate", on_standard_output.error());
    const Result<SimulationResult> result = simulate(*request);
    if (!result.ok()) return fail("simulate", result.error());
    const std::string command_line = "memside simulate " + join(arguments, " ");
    if (const Status written = write_outputs(options, *result, command_line, !*on_standard_output);
        !written.ok()) {
        return fail("simulate", written.error());
    }
    if (!result->reason.empty()) {
        return fail("simulate",
                    Error{"", "nothing fits: " + result->reason, Error::Kind::infeasible});
    }
    return 0;
}

}  // namespace memside::cli
