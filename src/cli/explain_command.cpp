// memside explain: what bounds a saved result, and what would help.
#include "base/file.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/json.h"
#include "study/explain.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside simulate --model llama-3.1-70b --system a100x2-pnm8 --policy pnm-kv \\\n"
    "      --context 128K --json result.json\n"
    "  memside explain result.json\n";

constexpr std::size_t max_result_bytes = std::size_t{64} << 20;

Status run(const Options& options) {
    const std::vector<std::string> files = options.all("result");
    if (files.size() != 1) return bad_input("", "name one JSON file that simulate wrote");
    MEMSIDE_TRY(const std::int64_t jobs, options.integer("--jobs", 0, 0, 1024));
    MEMSIDE_TRY(const std::string text, read_file(files.front(), max_result_bytes));
    MEMSIDE_TRY(const SimulationResult saved, from_json(text, files.front()));
    MEMSIDE_TRY(const Explanation explanation,
                explain(saved, files.front(), static_cast<unsigned>(jobs)));
    return write_standard_output(explanation_text(explanation, wants_colour()));
}

}  // namespace

int run_explain(const std::vector<std::string>& arguments) {
    Options options(
        "explain", "Says what bounds each phase of a saved result, and what would help.", examples);
    options.add_positional("result", "JSON file that simulate wrote", false);
    options.add("--jobs", "N", "threads; 0: all cores (default)");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("explain", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("explain", done.error());
}

}  // namespace memside::cli
