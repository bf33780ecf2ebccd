// memside sweep: a grid or a list of simulations.
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "report/html.h"
#include "report/table.h"
#include "study/sweep.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside sweep sweep.yaml --out results\n"
    "  memside sweep sweep.yaml --out results --resume    goes on where a run stopped\n"
    "\n"
    "a spec, sweep.yaml:\n"
    "  base: {model: llama-3.1-70b, system: a100x2-pnm8}\n"
    "  set: {pnm.memory_bandwidth: 2.2 TB/s}\n"
    "  grid:\n"
    "    context: [128K, 256K]\n"
    "    policy: [pnm-kv, png-kv]\n"
    "    scores.drift: [0.05, 0.1, 0.2]\n";

constexpr std::size_t most_rows = 40;  // that the terminal shows

namespace fs = std::filesystem;

Result<std::string> make_folder(const Options& options) {
    MEMSIDE_TRY(const std::string folder, options.required("--out"));
    if (folder.empty()) return bad_input("--out", "is empty; allowed: a folder's name");
    std::error_code code;
    fs::create_directories(folder, code);
    if (code || !fs::is_directory(folder, code)) {
        return Error{"--out",
                     fmt::format("cannot make the folder {}{}", in_quotes(folder),
                                 code ? ": " + code.message() : ""),
                     Error::Kind::environment};
    }
    return folder;
}

Status run(const Options& options) {
    const std::vector<std::string> specs = options.all("spec");
    if (specs.size() != 1) return bad_input("", "name one spec, such as sweep.yaml");
    MEMSIDE_TRY(const std::int64_t jobs, options.integer("--jobs", 0, 0, 1024));
    MEMSIDE_TRY(const PointSet set, read_sweep(specs.front()));
    MEMSIDE_TRY(const std::string folder, make_folder(options));
    const std::string csv = (fs::path(folder) / "sweep.csv").string();
    const std::string html = (fs::path(folder) / "report.html").string();
    RunOptions how;
    how.journal = (fs::path(folder) / "points.jsonl").string();
    MEMSIDE_CHECK(
        check_targets({{"the table", csv}, {"the report", html}, {"finished points", how.journal}},
                      {{"the spec", specs.front()}}));
    how.jobs = static_cast<unsigned>(jobs);
    how.resume = options.flag("--resume");
    Progress progress("sweep");
    how.progress = [&](const RunProgress& now) { progress.show(now); };
    MEMSIDE_TRY(const std::vector<SimulationResult> results, run_points(set.points, how));
    progress.finish();

    OutputSet outputs;
    outputs.add(csv, sweep_csv(set, results));
    // Neither the folder nor the number of threads is the sweep's: any run gives the same bytes.
    MEMSIDE_TRY(
        std::string page,
        html_report(results, {"", fmt::format("memside sweep {} --out DIR", specs.front())}));
    outputs.add(html, std::move(page));
    std::string text;
    if (results.size() <= most_rows) text = comparison(results, wants_colour());
    const auto empty = std::count_if(results.begin(), results.end(),
                                     [](const SimulationResult& r) { return r.batch == 0; });
    text += fmt::format("{} point{}{}: {} and {}\n", results.size(), results.size() == 1 ? "" : "s",
                        empty > 0 ? fmt::format(", of which {} cannot run", empty) : "", csv, html);
    outputs.add("-", std::move(text));
    return outputs.commit();
}

}  // namespace

int run_sweep(const std::vector<std::string>& arguments) {
    Options options("sweep", "Simulates every point of a grid or a list on all cores.", examples);
    options.add_positional("spec", "YAML with base, set, grid and list", false);
    options.add("--out", "DIR", "where sweep.csv, report.html and finished points go");
    options.add("--jobs", "N", "threads; 0: all cores (default)");
    options.add_flag("--resume", "keep the points that an earlier run has finished");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("sweep", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("sweep", done.error());
}

}  // namespace memside::cli
