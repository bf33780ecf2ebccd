// memside tune conv: the fastest program of one convolution.
#include "base/file.h"
#include "cli/terminal.h"
#include "cli/tune.h"
#include "report/csv.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside tune conv --shape 8,64,56,56,64,3,3,1,1 --target x86-vnni --trials 256\n"
    "  memside tune conv --shape 1,3,224,224,64,7,7,2,3 --target x86-vnni --search annealing \\\n"
    "    --db tuned.sqlite --resume --json result.json\n";

const tune::SearchOutcome::Trial* best_of(const tune::TaskOutcome& outcome) {
    return outcome.search.best ? &outcome.search.trials[*outcome.search.best] : nullptr;
}

std::string to_json(const tune::TaskOutcome& outcome, const tune::TuneOptions& how) {
    const auto gops = [&](double time_ns) {
        return time_ns > 0 ? std::optional(outcome.gops(time_ns)) : std::nullopt;
    };
    const auto* best = best_of(outcome);
    JsonWriter json;
    json.begin_object();
    json.member("version", MEMSIDE_VERSION);
    json.member("shape", conv::format_shape(outcome.task.shape));
    json.member("dtype", outcome.task.dtype);
    json.member("target", outcome.task.target);
    json.member("threads", std::int64_t{outcome.task.threads});
    json.member("search", how.method.text);
    json.member("seed", how.search.seed);
    json.member("best_config", best == nullptr
                                   ? std::nullopt
                                   : std::optional(outcome.candidates->text(best->candidate)));
    json.member("best_gops", gops(outcome.search.best_time_ns()));
    json.member("best_time_ns",
                best == nullptr ? std::nullopt : std::optional(best->result.time_ns));
    json.member("trials", std::uint64_t{outcome.search.trials.size()});
    json.member("failures", std::uint64_t{outcome.search.failures});
    json.member("space_points", std::uint64_t{outcome.candidates->size()});
    json.member("exhaustive_best_gops", gops(outcome.exhaustive_best_ns.value_or(0)));
    json.member("measured_on", outcome.task.machine);
    json.key("history");
    json.begin_array();
    for (std::size_t i = 0; i < outcome.search.trials.size(); ++i) {
        const tune::TrialResult& result = outcome.search.trials[i].result;
        json.begin_object(JsonWriter::Layout::one_line);
        json.member("trial", std::uint64_t{i + 1});
        json.member("gops", gops(result.time_ns));  // null: it failed
        if (!result.ok()) {
            json.member("status",
                        tune::trial_status_names[static_cast<std::size_t>(result.status)]);
            json.member("error", result.error);
        }
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return std::move(json).finish();
}

// A row per trial, in their order.
std::string to_csv(const tune::TaskOutcome& outcome) {
    std::vector<std::string> heads{"trial"};
    for (const tune::Knob& knob : outcome.candidates->knobs()) heads.push_back(knob.name);
    for (const char* head : {"gops", "time_ns", "status", "error"}) heads.emplace_back(head);
    std::string text = csv_line(heads);
    for (std::size_t i = 0; i < outcome.search.trials.size(); ++i) {
        const auto& [id, result] = outcome.search.trials[i];
        std::vector<std::string> cells{fmt::format("{}", i + 1)};
        const tune::Point& point = outcome.candidates->point(id);
        for (std::size_t k = 0; k < point.size(); ++k) {
            cells.push_back(outcome.candidates->knobs()[k].values[point[k]]);
        }
        cells.push_back(result.ok() ? shortest(outcome.gops(result.time_ns)) : "");
        cells.push_back(result.ok() ? shortest(result.time_ns) : "");
        cells.emplace_back(tune::trial_status_names[static_cast<std::size_t>(result.status)]);
        cells.push_back(result.error);
        text += csv_line(cells);
    }
    return text;
}

std::string to_text(const tune::TaskOutcome& outcome, const tune::TuneOptions& how) {
    const auto* best = best_of(outcome);
    std::string text = fmt::format(
        "{} {} on {}, {} thread{}\nsearch   {}, {} of {} programs measured, {} failed\n",
        outcome.task.dtype, conv::format_shape(outcome.task.shape), outcome.task.target,
        outcome.task.threads, outcome.task.threads == 1 ? "" : "s", how.method.text,
        outcome.search.trials.size(), outcome.candidates->size(), outcome.search.failures);
    if (best == nullptr) return text;
    text += fmt::format("best     {:.1f} GOPS, {:.1f} us (measured on {})\nprogram  {}\n",
                        outcome.gops(best->result.time_ns), best->result.time_ns / 1e3,
                        outcome.task.machine, outcome.candidates->text(best->candidate));
    if (outcome.exhaustive_best_ns) {
        text += fmt::format("of the whole space's best {:.1f} %\n",
                            100 * *outcome.exhaustive_best_ns / best->result.time_ns);
    }
    return text;
}

Status run(const Options& options) {
    MEMSIDE_TRY(const std::string shape, options.required("--shape"));
    MEMSIDE_TRY(tune::Task task, read_task(options));
    MEMSIDE_TRY(task.shape, conv::parse_shape(shape, "--shape"));
    MEMSIDE_TRY(tune::TuneOptions how, read_tune_options(options));
    MEMSIDE_TRY(const bool on_standard_output, check_outputs(options, {"--json", "--csv"}, {}));
    MEMSIDE_TRY(const auto target, tune::find_target(task.target, "--target"));
    MEMSIDE_TRY(const auto database, open_database(options));
    TuneProgress progress("tune conv", task.shape.operations());
    how.search.progress = [&](const tune::SearchProgress& now) { progress.show(now); };
    auto outcome = tune::tune_task(*target, task, how, database.get());
    progress.finish();
    if (!outcome.ok()) return outcome.error();
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(*outcome, how));
    if (const auto path = options.text("--csv")) outputs.add(*path, to_csv(*outcome));
    if (!on_standard_output) outputs.add("-", to_text(*outcome, how));
    MEMSIDE_CHECK(outputs.commit());
    if (!outcome->search.best) {
        const auto& trials = outcome->search.trials;
        return Error{"tune conv",
                     trials.empty() ? "no candidate was measured in time"
                                    : fmt::format("all {} candidates failed; the first: {}",
                                                  trials.size(), trials[0].result.error),
                     Error::Kind::infeasible};
    }
    return {};
}

}  // namespace

int run_tune_conv(const std::vector<std::string>& arguments) {
    Options options("tune conv", "Searches for the fastest program of a convolution.", examples);
    options.group("What is tuned");
    options.add("--shape", "SHAPE", "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]");
    add_task_options(options);
    add_search_options(options);
    options.group("Output");
    options.add("--json", "FILE", "result and history; '-' for standard output");
    options.add("--csv", "FILE", "a row per trial; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("tune conv", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Status done = run(options);
    return done.ok() ? 0 : fail("tune conv", done.error());
}

}  // namespace memside::cli
