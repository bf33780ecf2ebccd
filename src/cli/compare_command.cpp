// memside compare: all kinds of systems at equal capacity, cost or power.
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/simulate_options.h"
#include "cli/terminal.h"
#include "report/text_table.h"
#include "study/compare.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside compare --model llama-3.1-8b --context 32K\n"
    "  memside compare --model llama-3.1-70b --context 128K --at cost --reference a100x8\n"
    "  memside compare --model llama-3.1-8b --context 32K --report comparison.html\n"
    "\n"
    "families (--systems): gpu (a100xN dense), recall (a100xN-cxl), pnm-all, pnm-kv and png-kv\n"
    "(a100xN-pnmM; pnm-all attends every token), gpu-pim (a100xN-pimM), cent, neupims\n";

Result<std::vector<CompareAt>> read_at(const Options& options) {
    MEMSIDE_TRY(const std::size_t choice,
                options.choice("--at", "all", {"capacity", "cost", "power", "all"}));
    if (choice == 3) return std::vector{CompareAt::capacity, CompareAt::cost, CompareAt::power};
    return std::vector{static_cast<CompareAt>(choice)};
}

Status run(const Options& options, const std::vector<std::string>& arguments) {
    CompareRequest request;
    MEMSIDE_TRY(request.settings, settings_of(options, true));
    MEMSIDE_TRY(request.at, read_at(options));
    MEMSIDE_TRY(const std::int64_t jobs, options.integer("--jobs", 0, 0, 1024));
    request.jobs = static_cast<unsigned>(jobs);
    request.reference = options.text_or("--reference", request.reference);
    if (const auto list = options.text("--systems")) request.families = split(*list, ',');
    request.explained = options.text("--report").has_value();
    std::vector<NamedPath> inputs;
    for (const char* name : {"--workload", "--scores", "--model"}) {
        if (const auto path = options.text(name)) inputs.push_back({name, *path});
    }
    MEMSIDE_TRY(const bool on_standard_output,
                check_outputs(options, {"--json", "--csv", "--report"}, inputs));
    MEMSIDE_TRY(const Comparison comparison, compare(request));

    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, comparison_json(comparison));
    if (const auto path = options.text("--csv")) outputs.add(*path, comparison_csv({comparison}));
    if (const auto path = options.text("--report")) {
        outputs.add(*path,
                    comparison_page({comparison}, "memside compare " + join(arguments, " ")));
    }
    if (!on_standard_output) outputs.add("-", comparison_text(comparison, wants_colour()));
    return outputs.commit();
}

}  // namespace

int run_compare(const std::vector<std::string>& arguments) {
    Options options("compare",
                    "Compares all kinds of systems at equal memory capacity, cost or power, for "
                    "one model and context or workload. All figures are modelled.",
                    examples);
    options.add("--at", "WHAT", "capacity, cost, power or all (default)");
    options.add("--reference", "SYSTEM", "whose size the others get (default: a100x8)");
    options.add("--systems", "LIST", "families, with commas between (default: all)");
    options.add("--jobs", "N", "threads; 0: all cores (default)");
    declare_compared_options(options);
    options.group("Output");
    options.add("--json", "FILE", "'-' for standard output");
    options.add("--csv", "FILE", "a row per system; '-' for standard output");
    options.add("--report", "FILE.html", "one offline page: who wins where, and why");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("compare", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options, arguments);
    return done.ok() ? 0 : fail("compare", done.error());
}

}  // namespace memside::cli
