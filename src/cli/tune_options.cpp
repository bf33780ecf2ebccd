// Options and progress that the subcommands of `memside tune` share.
#include <unistd.h>

#include <cstdio>

#include "base/number.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "cli/tune.h"

namespace memside::cli {
namespace {

constexpr double between_updates_s = 0.1;  // of the line on a terminal
constexpr double between_lines_s = 10.0;

std::string target_list() {
    std::vector<std::string> names;
    for (const tune::TargetKind& kind : tune::targets()) names.emplace_back(kind.name);
    return join(names, ", ");
}

// A number in (0, most].
Result<double> positive(const Options& options, const std::string& name, double fallback,
                        double most) {
    const auto text = options.text(name);
    if (!text) return fallback;
    MEMSIDE_TRY(const double value, parse_number(*text, name));
    if (value <= 0 || value > most) {
        return bad_input(name,
                         fmt::format("{} is not allowed; allowed: above 0, up to {}", *text, most));
    }
    return value;
}

}  // namespace

void add_task_options(Options& options) {
    options.group("What is tuned");
    options.add("--target", "NAME", target_list());
    options.add("--dtype", "TYPE", "int8 (default) or int4: type of the weights");
    options.add("--threads", "N", "that run a program (default: 1)");
    options.group("How it is measured");
    options.add("--samples", "N", "timed samples of a candidate; their median counts (default: 5)");
    options.add("--sample-ms", "MS", "least duration of a sample (default: 2)");
    options.add("--time-limit", "S", "of one candidate, compiling included (default: 30)");
    options.add("--memory-limit", "MIB", "of one candidate (default: 4096)");
}

Result<tune::Task> read_task(const Options& options) {
    tune::Task task;
    MEMSIDE_TRY(task.target, options.required("--target"));
    MEMSIDE_TRY(const std::size_t dtype, options.choice("--dtype", "int8", {"int8", "int4"}));
    task.dtype = dtype == 0 ? "int8" : "int4";
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 1, 1, 1024));
    task.threads = static_cast<int>(threads);
    task.machine = tune::this_machine();
    return task;
}

Result<tune::RunnerLimits> read_limits(const Options& options) {
    tune::RunnerLimits limits;
    MEMSIDE_TRY(limits.time_s, positive(options, "--time-limit", limits.time_s, 86400));
    MEMSIDE_TRY(const std::int64_t mib, options.integer("--memory-limit", 4096, 64, 1 << 24));
    limits.memory_bytes = static_cast<std::size_t>(mib) << 20;
    return limits;
}

Result<tune::Sampling> read_sampling(const Options& options) {
    tune::Sampling sampling;
    MEMSIDE_TRY(const std::int64_t samples, options.integer("--samples", 5, 1, 1000));
    sampling.samples = static_cast<int>(samples);
    MEMSIDE_TRY(const double ms, positive(options, "--sample-ms", sampling.sample_ns / 1e6, 60e3));
    sampling.sample_ns = ms * 1e6;
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 1, 1, 1024));
    sampling.thread_time = threads == 1;
    return sampling;
}

void add_search_options(Options& options) {
    options.group("The search");
    options.add("--search", "METHOD",
                fmt::format("{} (default: distinct)", join(tune::explorer_names(), ", ")));
    options.add("--trials", "N", "candidates to measure (default: 512; exhaustive: all)");
    options.add("--minutes", "M", "to stop after, whatever --trials says");
    options.add("--plan", "N", "candidates between two lessons (default: 64)");
    options.add("--seed", "N", "of the search and of the operands (default: 1)");
    options.add("--db", "FILE", "SQLite database that keeps every trial");
    options.add_flag("--resume", "go on with the same search of --db");
}

Result<tune::TuneOptions> read_tune_options(const Options& options) {
    tune::TuneOptions tune;
    MEMSIDE_TRY(tune.method,
                tune::parse_method(options.text_or("--search", "distinct"), "--search"));
    const std::int64_t most = tune::Candidates::most_settings;
    const bool all = tune.method.kind->name == "exhaustive";
    MEMSIDE_TRY(const std::int64_t trials, options.integer("--trials", all ? most : 512, 1, most));
    tune.search.most_trials = static_cast<std::size_t>(trials);
    MEMSIDE_TRY(tune.search.most_minutes, positive(options, "--minutes", 0, 1e6));
    MEMSIDE_TRY(const std::int64_t plan, options.integer("--plan", 64, 1, 4096));
    tune.search.plan = static_cast<std::size_t>(plan);
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    tune.search.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_TRY(tune.limits, read_limits(options));
    MEMSIDE_TRY(tune.sampling, read_sampling(options));
    tune.resume = options.flag("--resume");
    if (tune.resume && !options.text("--db")) {
        return bad_input("--resume", "needs --db: the database to go on from");
    }
    return tune;
}

Result<std::unique_ptr<tune::Database>> open_database(const Options& options) {
    const auto path = options.text("--db");
    if (!path) return std::unique_ptr<tune::Database>();
    if (path->empty()) return bad_input("--db", "is empty; allowed: a file's name");
    return tune::Database::open(*path);
}

TuneProgress::TuneProgress(std::string what, double operations)
    : what_(std::move(what)), operations_(operations), terminal_(isatty(STDERR_FILENO) == 1) {}

void TuneProgress::show(const tune::SearchProgress& progress) {
    std::string text = fmt::format("{} of {} trials", progress.trials, progress.limit);
    if (progress.kept > 0) text += fmt::format(" ({} from the database)", progress.kept);
    if (progress.best_time_ns > 0) {
        text += fmt::format(", best {:.1f} GOPS", operations_ / progress.best_time_ns);
    }
    if (progress.failures > 0) text += fmt::format(", {} failed", progress.failures);
    say(text);
}

void TuneProgress::show(std::size_t done, std::size_t total, const std::string& unit) {
    say(fmt::format("{} of {} {}", done, total, unit));
}

void TuneProgress::say(const std::string& text) {
    const auto now = Clock::now();
    const double since = std::chrono::duration<double>(now - last_).count();
    if (since < (terminal_ ? between_updates_s : between_lines_s)) return;
    last_ = now;
    if (!terminal_) return note(what_, text);
    shown_ = true;
    const std::string line = fmt::format("\r\x1b[Kmemside {}: {}", what_, text);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

void TuneProgress::finish() {
    if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
    shown_ = false;
}

}  // namespace memside::cli
