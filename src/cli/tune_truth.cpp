// memside tune truth: every program of a convolution, measured.
#include "base/file.h"
#include "cli/terminal.h"
#include "cli/tune.h"
#include "report/csv.h"
#include "report/json_writer.h"
#include "tune/truth_rounds.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside tune truth --shape 1,64,56,56,64,3,3,1,1 --target x86-vnni \\\n"
    "    --db truth.sqlite --out conv2-3x3.csv      goes on where a run stopped\n";

// The form that tune/truth.h reads.
std::string to_csv(const tune::Candidates& candidates, const std::vector<tune::RoundTimes>& times) {
    std::vector<std::string> heads;
    for (const tune::Knob& knob : candidates.knobs()) heads.push_back(knob.name);
    for (const std::string& name : candidates.space().feature_names()) {
        heads.push_back(fmt::format("feature_{}", name));
    }
    for (const char* head : {"time_ns", "spread", "error"}) heads.emplace_back(head);
    std::string text = csv_line(heads);
    for (tune::CandidateId id = 0; id < candidates.size(); ++id) {
        std::vector<std::string> cells;
        const tune::Point& point = candidates.point(id);
        for (std::size_t k = 0; k < point.size(); ++k) {
            cells.push_back(candidates.knobs()[k].values[point[k]]);
        }
        for (const float value : candidates.space().features(point)) {
            cells.push_back(shortest(static_cast<double>(value)));
        }
        const bool ok = times[id].time_ns() > 0;
        cells.push_back(ok ? shortest(times[id].time_ns()) : "");
        cells.push_back(ok ? shortest(times[id].spread()) : "");
        cells.push_back(times[id].error);
        text += csv_line(cells);
    }
    return text;
}

std::string to_text(const tune::Task& task, const tune::Candidates& candidates,
                    const std::vector<tune::RoundTimes>& times) {
    std::size_t failures = 0;
    const tune::RoundTimes* best = nullptr;
    for (const tune::RoundTimes& one : times) {
        failures += one.time_ns() > 0 ? 0U : 1U;
        if (one.time_ns() <= 0) continue;
        if (best == nullptr || one.time_ns() < best->time_ns()) best = &one;
    }
    std::string text = fmt::format("{} programs, {} failed\n", candidates.size(), failures);
    if (best == nullptr) return text;
    return text + fmt::format(
                      "best  {:.1f} GOPS, {:.1f} us, spread {:.2f} % (half the distance of "
                      "the quartiles)\n",
                      task.shape.operations() / best->time_ns(), best->time_ns() / 1e3,
                      100 * best->spread());
}

Status run(const Options& options) {
    MEMSIDE_TRY(const std::string shape, options.required("--shape"));
    MEMSIDE_TRY(const std::string out, options.required("--out"));
    MEMSIDE_TRY(tune::Task task, read_task(options));
    MEMSIDE_TRY(task.shape, conv::parse_shape(shape, "--shape"));
    MEMSIDE_TRY(const tune::RunnerLimits limits, read_limits(options));
    MEMSIDE_TRY(const tune::Sampling sampling, read_sampling(options));
    tune::RoundOptions rounds;
    MEMSIDE_TRY(const std::int64_t count, options.integer("--rounds", 3, 1, 1000));
    MEMSIDE_TRY(const std::int64_t best, options.integer("--best", 20, 0, 10'000));
    MEMSIDE_TRY(const std::int64_t best_rounds, options.integer("--best-rounds", 10, 0, 1000));
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    rounds.rounds = static_cast<std::size_t>(count);
    rounds.best_count = static_cast<std::size_t>(best);
    rounds.best_rounds = static_cast<std::size_t>(best_rounds);
    rounds.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_TRY(const bool on_standard_output, check_outputs(options, {"--out"}, {}));
    MEMSIDE_TRY(const auto target, tune::find_target(task.target, "--target"));
    MEMSIDE_TRY(const tune::Workbench bench,
                tune::open_workbench(*target, task, rounds.seed, limits));
    MEMSIDE_TRY(const auto database, open_database(options));
    TuneProgress progress("tune truth", task.shape.operations());
    rounds.progress = [&](std::size_t done, std::size_t total) {
        progress.show(done, total, "measurements");
    };
    const auto times = tune::measure_rounds(
        *bench.candidates, rounds,
        [&](tune::CandidateId id) {
            return bench.runner->run(bench.candidates->point(id), sampling);
        },
        database.get(), task);
    progress.finish();
    if (!times.ok()) return times.error();
    OutputSet outputs;
    outputs.add(out, to_csv(*bench.candidates, *times));
    if (!on_standard_output) outputs.add("-", to_text(task, *bench.candidates, *times));
    return outputs.commit();
}

}  // namespace

int run_tune_truth(const std::vector<std::string>& arguments) {
    Options options("tune truth",
                    "Measures every program of a convolution in interleaved rounds, and the best "
                    "again.",
                    examples);
    options.group("What is tuned");
    options.add("--shape", "SHAPE", "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]");
    add_task_options(options);
    options.add("--rounds", "N", "over all programs; the median counts (default: 3)");
    options.add("--best", "N", "how many of the fastest are measured again (default: 20)");
    options.add("--best-rounds", "N", "over those (default: 10)");
    options.add("--seed", "N", "of the order within rounds, and of the operands (default: 1)");
    options.group("Output");
    options.add("--db", "FILE", "SQLite database of finished measurements, to go on from");
    options.add("--out", "FILE", "table for 'memside tune bakeoff'; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("tune truth", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("tune truth", done.error());
}

}  // namespace memside::cli
