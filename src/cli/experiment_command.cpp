// memside experiment: regenerates figures and compares them with those of earlier runs.
#include <filesystem>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "report/text_table.h"
#include "study/experiment_output.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside experiment list\n"
    "  memside experiment run pnm-fig10b --out results\n"
    "  memside experiment run all --quick --out results\n"
    "\n"
    "each writes NAME.csv and NAME.html; exit status 1 when a figure is not the expected one\n";

constexpr std::size_t most_differences = 10;  // that are shown of one experiment

namespace fs = std::filesystem;

struct Run {
    std::string experiments;  // folder
    std::string out;
    std::string expected;
    bool quick = false;
    bool all = false;
    RunOptions how;
};

// Runs one experiment, writes what it gives and says how it compares; whether it agrees.
Result<bool> run_one(const Run& run, const std::string& name) {
    Progress progress("experiment " + name);
    RunOptions how = run.how;
    how.progress = [&](const RunProgress& now) { progress.show(now); };
    MEMSIDE_TRY(const ExperimentOutput output,
                produce_experiment(run.experiments, name, run.quick, wants_colour(), how));
    progress.finish();
    OutputSet files;
    for (const KeptTable& table : output.tables) {
        files.add((fs::path(run.out) / table.file).string(), table.csv);
    }
    files.add((fs::path(run.out) / (name + ".html")).string(), output.page);
    MEMSIDE_CHECK(files.commit());

    std::string text =
        painted(fmt::format("{}  {}", name, output.title), Tone::strong, wants_colour()) + '\n';
    text += run.all ? stated_text(output.stated, wants_colour()) : output.text;
    MEMSIDE_TRY(const std::vector<std::string> found, compare_with_expected(output, run.expected));
    if (found.empty()) {
        text += fmt::format("  {} points; the figures are the expected ones, within {:.3g} %\n",
                            output.points, output.tolerance.relative * 100.0);
    }
    MEMSIDE_CHECK(write_standard_output(text));
    for (std::size_t i = 0; i < std::min(found.size(), most_differences); ++i) {
        note("experiment", found[i]);
    }
    if (!found.empty()) {
        note("experiment", fmt::format("{}: {} figure{} not within {:.3g} % of {}", name,
                                       found.size(), found.size() == 1 ? " is" : "s are",
                                       output.tolerance.relative * 100.0, run.expected));
    }
    return found.empty();
}

Status make_folder(const std::string& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    if (!code && fs::is_directory(folder, code)) return {};
    return Error{"--out", "cannot make the folder " + in_quotes(folder), Error::Kind::environment};
}

Result<bool> run_all(const Options& options, const std::string& folder, const std::string& name) {
    Run run;
    run.experiments = folder;
    MEMSIDE_TRY(run.out, options.required("--out"));
    run.expected = options.text_or("--expected", folder + "/expected");
    run.quick = options.flag("--quick");
    run.all = name == "all";
    MEMSIDE_TRY(const std::int64_t jobs, options.integer("--jobs", 0, 0, 1024));
    run.how.jobs = static_cast<unsigned>(jobs);
    std::vector<std::string> names = experiment_names(folder);
    if (!run.all) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return bad_input(
                "", fmt::format("unknown experiment {}{}", in_quotes(name), hint(name, names)));
        }
        names = {name};
    }
    MEMSIDE_CHECK(make_folder(run.out));
    // A run whose figures would become those that it is compared with proves nothing.
    std::error_code code;
    if (fs::equivalent(run.out, run.expected, code)) {
        return bad_input("--out", "is the folder of the expected figures");
    }
    bool agrees = true;
    for (const std::string& each : names) {
        MEMSIDE_TRY(const bool one, run_one(run, each));
        agrees = agrees && one;
    }
    return agrees;
}

}  // namespace

int run_experiment_command(const std::vector<std::string>& arguments) {
    Options options("experiment",
                    "Regenerates figures and compares them with expected ones. All are modelled.",
                    examples);
    options.add_positional("what", "list, or run and a name or 'all'", true);
    options.add("--out", "DIR", "where tables and pages go");
    options.add("--expected", "DIR", "figures to compare with (default: those of experiments/)");
    options.add("--jobs", "N", "threads; 0: all cores (default)");
    options.add_flag("--quick", "fewer points, for a check in passing");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("experiment", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<std::string> data = data_dir();
    if (!data.ok()) return fail("experiment", data.error());
    const std::string folder = *data + "/experiments";
    const std::vector<std::string> what = options.all("what");
    if (what == std::vector<std::string>{"list"}) {
        std::string text;
        for (const std::string& name : experiment_names(folder)) text += name + '\n';
        return print("experiment", text);
    }
    if (what.size() != 2 || what.front() != "run") {
        return fail("experiment",
                    bad_input("", "say 'list', or 'run' and the name of an experiment or 'all'"));
    }
    const Result<bool> agrees = run_all(options, folder, what.back());
    if (!agrees.ok()) return fail("experiment", agrees.error());
    return *agrees ? 0 : 1;
}

}  // namespace memside::cli
