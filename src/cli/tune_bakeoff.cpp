// memside tune bakeoff: search methods replayed on measured spaces.
#include <filesystem>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "cli/tune.h"
#include "report/bakeoff.h"
#include "study/csv_reader.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside tune bakeoff --truth conv2-3x3.csv --truth conv3-3x3.csv --out bakeoff\n"
    "  memside tune bakeoff --truth conv2-3x3.csv --plan 16 --methods annealing \\\n"
    "    --methods distinct --methods distinct:mutations=1 --out ablation\n";

namespace fs = std::filesystem;

// One method, or several names with commas. A method's own options have commas too, so what has a
// colon is one method.
Status add_methods(const std::string& text, std::vector<tune::Method>& methods) {
    const bool one = text.find(':') != std::string::npos;
    const std::vector<std::string> parts = one ? std::vector{text} : split(text, ',');
    for (const std::string& part : parts) {
        MEMSIDE_TRY(tune::Method method, tune::parse_method(part, "--methods"));
        for (const tune::Method& other : methods) {
            if (other.text == part) {
                return bad_input("--methods", fmt::format("{} is there twice", in_quotes(part)));
            }
        }
        methods.push_back(std::move(method));
    }
    return {};
}

Result<tune::Truth> read_truth(const std::string& path) {
    MEMSIDE_TRY(const CsvTable table, read_csv(path));
    return tune::make_truth(
        fs::path(path).stem().string(), path,
        {table.heads, table.rows, [&](std::size_t row) { return table.where(row); }});
}

Result<tune::ReplayOptions> read_replay(const Options& options) {
    tune::ReplayOptions replay;
    for (const std::string& text : options.all("--methods")) {
        MEMSIDE_CHECK(add_methods(text, replay.methods));
    }
    if (replay.methods.empty()) {
        for (const std::string& name : tune::explorer_names()) {
            MEMSIDE_CHECK(add_methods(name, replay.methods));
        }
    }
    replay.plans.clear();
    for (const std::string& text : options.all("--plan")) {
        MEMSIDE_TRY(const std::int64_t plan, parse_integer(text, 1, 4096, "--plan"));
        const auto size = static_cast<std::size_t>(plan);
        if (std::find(replay.plans.begin(), replay.plans.end(), size) != replay.plans.end()) {
            return bad_input("--plan", fmt::format("{} is there twice", size));
        }
        replay.plans.push_back(size);
    }
    if (replay.plans.empty()) replay.plans = {64};
    MEMSIDE_TRY(const std::int64_t seeds, options.integer("--seeds", 20, 1, 100'000));
    replay.seeds = static_cast<std::size_t>(seeds);
    MEMSIDE_TRY(const std::int64_t trials, options.integer("--trials", 0, 1, 1 << 22));
    replay.most_trials = static_cast<std::size_t>(trials);
    MEMSIDE_TRY(replay.noise, parse_number(options.text_or("--noise", "0"), "--noise"));
    if (replay.noise < 0 || replay.noise > 0.5) {
        return bad_input("--noise", "allowed: a share from 0 to 0.5, such as 0.005");
    }
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    replay.threads = static_cast<unsigned>(threads);
    return replay;
}

// The command without folders, threads and outputs, which change no byte.
std::string command_of(const Options& options) {
    std::string text = "memside tune bakeoff";
    for (const char* name : {"--truth", "--methods", "--plan", "--seeds", "--trials", "--noise"}) {
        for (const std::string& value : options.all(name)) {
            const bool path = std::string_view(name) == "--truth";
            text += fmt::format(" {} {}", name, path ? fs::path(value).filename().string() : value);
        }
    }
    return text + " --out DIR";
}

Status run(const Options& options) {
    const std::vector<std::string> paths = options.all("--truth");
    if (paths.empty()) return bad_input("--truth", "is required");
    MEMSIDE_TRY(const std::string folder, options.required("--out"));
    Bakeoff bakeoff;
    MEMSIDE_TRY(bakeoff.options, read_replay(options));
    bakeoff.command = command_of(options);
    for (const std::string& path : paths) {
        MEMSIDE_TRY(tune::Truth truth, read_truth(path));
        bakeoff.truths.push_back(std::move(truth));
    }
    const auto in_folder = [&](const char* name) { return (fs::path(folder) / name).string(); };
    std::vector<NamedPath> outputs{{"the searches", in_folder("runs.csv")},
                                   {"the summary", in_folder("summary.csv")},
                                   {"the JSON", in_folder("bakeoff.json")},
                                   {"the page", in_folder("report.html")}};
    std::vector<NamedPath> inputs;
    for (const std::string& path : paths) inputs.push_back({"--truth", path});
    MEMSIDE_CHECK(check_targets(outputs, inputs));
    std::error_code code;
    fs::create_directories(folder, code);
    if (!fs::is_directory(folder, code)) {
        return Error{"--out", fmt::format("cannot make the folder {}", in_quotes(folder)),
                     Error::Kind::environment};
    }
    TuneProgress progress("tune bakeoff", 0);
    bakeoff.options.progress = [&](std::size_t done, std::size_t total) {
        progress.show(done, total, "searches");
    };
    bakeoff.replays = tune::replay(bakeoff.truths, bakeoff.options);
    progress.finish();
    OutputSet written;
    written.add(outputs[0].path, bakeoff_runs_csv(bakeoff));
    written.add(outputs[1].path, bakeoff_summary_csv(bakeoff));
    written.add(outputs[2].path, bakeoff_json(bakeoff));
    written.add(outputs[3].path, bakeoff_page(bakeoff));
    written.add("-", bakeoff_text(bakeoff, wants_colour()));
    return written.commit();
}

}  // namespace

int run_tune_bakeoff(const std::vector<std::string>& arguments) {
    Options options(
        "tune bakeoff",
        "Replays searches on spaces that were measured as a whole, and counts trials to "
        "95, 99 and 100 % of the best speed.",
        examples);
    options.add_repeated("--truth", "FILE", "table of 'memside tune truth'; may be repeated");
    options.add_repeated("--methods", "NAMES",
                         fmt::format("{} (default: all); may be repeated, once for each method "
                                     "with options of its own",
                                     join(tune::explorer_names(), ", ")));
    options.add_repeated("--plan", "N",
                         "candidates between two lessons, and in the first batch that all methods "
                         "share (default: 64); may be repeated");
    options.add("--seeds", "N", "searches of each method (default: 20)");
    options.add("--trials", "N", "at most, in a search (default: the whole space)");
    options.add("--noise", "SHARE", "times this close to the best are ties with it (default: 0)");
    options.add("--threads", "N", "0: all cores (default); they change no byte");
    options.add("--out", "DIR", "where runs.csv, summary.csv, bakeoff.json and report.html go");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("tune bakeoff", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("tune bakeoff", done.error());
}

}  // namespace memside::cli
