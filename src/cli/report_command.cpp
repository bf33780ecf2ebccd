// memside report: saved results side by side.
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/table.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside report dense.json pnm.json --html report.html\n"
    "  memside report *.json --csv table.csv\n";

constexpr std::size_t max_result_bytes = std::size_t{64} << 20;

Result<std::vector<SimulationResult>> read_results(const std::vector<std::string>& paths) {
    std::vector<SimulationResult> results;
    for (const std::string& path : paths) {
        MEMSIDE_TRY(const std::string text, read_file(path, max_result_bytes));
        MEMSIDE_TRY(SimulationResult result, from_json(text, path));
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace

int run_report(const std::vector<std::string>& arguments) {
    Options options("report", "Compares saved results of simulate.", examples);
    options.add_positional("results", "JSON files that simulate wrote", true);
    options.add("--html", "FILE", "one offline page");
    options.add("--csv", "FILE", "a row per result; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("report", parsed.error());
    }
    if (options.help_shown()) return 0;
    const std::vector<std::string> paths = options.all("results");
    if (paths.empty()) {
        return fail("report", bad_input("", "name at least one JSON file that simulate wrote"));
    }
    std::vector<NamedPath> inputs;
    for (const std::string& path : paths) inputs.push_back({"a result", path});
    const Result<bool> on_standard_output = check_outputs(options, {"--csv", "--html"}, inputs);
    if (!on_standard_output.ok()) return fail("report", on_standard_output.error());
    const auto results = read_results(paths);
    if (!results.ok()) return fail("report", results.error());

    OutputSet outputs;
    if (const auto path = options.text("--csv")) outputs.add(*path, to_csv(*results));
    if (const auto path = options.text("--html")) {
        const auto page = html_report(*results, {"", "memside report " + join(arguments, " ")});
        if (!page.ok()) return fail("report", page.error());
        outputs.add(*path, *page);
    }
    if (!*on_standard_output) outputs.add("-", comparison(*results, wants_colour()));
    const Status written = outputs.commit();
    return written.ok() ? 0 : fail("report", written.error());
}

}  // namespace memside::cli
