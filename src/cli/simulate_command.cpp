// memside simulate: one model on one system under one policy.
#include <filesystem>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/simulate_options.h"
#include "cli/terminal.h"
#include "cluster/simulate.h"
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

// Files that the simulation reads, which no output may replace.
std::vector<NamedPath> input_files(const Options& options, const SimulationRequest& request) {
    std::vector<NamedPath> inputs;
    for (const char* name : {"--workload", "--scores", "--program"}) {
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
    const Result<Settings> settings = settings_of(options);
    if (!settings.ok()) return fail("simulate", settings.error());
    const Result<SimulationRequest> request = read_request(*settings);
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
