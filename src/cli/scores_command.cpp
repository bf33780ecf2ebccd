// memside scores: statistics of recorded page scores, and the synthetic source fitted to them.
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/scores.h"
#include "cli/terminal.h"
#include "cli/token_progress.h"
#include "kv/layout.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside run --model gemma.gguf --prompt-file book.txt --prompt-tokens 16895 \\\n"
    "      --prompt-steps 512 --max-tokens 1 --page-size 32 --record-scores book.scores\n"
    "  memside scores describe book.scores --budgets 512,1K,4K\n"
    "  memside scores fit book.scores --check other.scores --json fit.json\n";

struct Trace {
    std::string path;
    std::unique_ptr<kv::RecordedScores> scores;
    std::vector<kv::StreamId> streams;
};

struct Request {
    bool fit = false;
    Trace trace;
    std::optional<Trace> check;
    std::vector<std::int64_t> budget_pages;
    std::uint64_t seed = 1;
    std::int64_t evaluations = 240;
    unsigned threads = 0;
};

Result<Trace> open_trace(const std::string& path, const Options& options) {
    Trace trace;
    trace.path = path;
    MEMSIDE_TRY(trace.scores, kv::read_scores(path));
    const kv::ScoreFileHeader& header = trace.scores->header();
    if (trace.scores->extent().steps < 8) {
        return bad_input(path, fmt::format("has {} steps; statistics of two halves need 8",
                                           trace.scores->extent().steps));
    }
    const auto chosen = options.text("--layers");
    if (!chosen) {
        trace.streams = kv::all_streams(header.requests, header.layers);
        return trace;
    }
    for (std::int64_t request = 0; request < header.requests; ++request) {
        for (const std::string& part : split(*chosen, ',')) {
            MEMSIDE_TRY(const std::int64_t layer,
                        parse_integer(part, 0, header.layers - 1, "--layers"));
            trace.streams.push_back({request, layer});
        }
    }
    return trace;
}

// Those given, or a sixteenth, an eighth and a quarter of the context.
Result<std::vector<std::int64_t>> read_budgets(const Options& options,
                                               const kv::ScoreFileHeader& header) {
    std::vector<std::int64_t> pages;
    if (const auto given = options.text("--budgets")) {
        for (const std::string& part : split(*given, ',')) {
            MEMSIDE_TRY(const std::int64_t tokens, parse_tokens(part, "--budgets"));
            if (tokens >= header.context_tokens) {
                return bad_input("--budgets", fmt::format("{} is all of a context of {}", part,
                                                          header.context_tokens));
            }
            pages.push_back(kv::page_count(tokens, header.page_tokens));
        }
    } else {
        for (const std::int64_t part : {16, 8, 4}) {
            pages.push_back(kv::page_count(header.context_tokens / part, header.page_tokens));
        }
    }
    std::ranges::sort(pages);
    pages.erase(std::ranges::unique(pages).begin(), pages.end());
    return pages;
}

Result<Request> read_request(const Options& options, bool fit) {
    Request request;
    request.fit = fit;
    const std::vector<std::string> files = options.all("FILE");
    if (files.size() != 1) return bad_input("FILE", "is required: one recording");
    MEMSIDE_TRY(request.trace, open_trace(files.front(), options));
    const kv::ScoreFileHeader& header = request.trace.scores->header();
    MEMSIDE_TRY(request.budget_pages, read_budgets(options, header));
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    request.threads = static_cast<unsigned>(threads);
    if (!fit) return request;
    if (const auto path = options.text("--check")) {
        MEMSIDE_TRY(request.check, open_trace(*path, options));
        const kv::ScoreFileHeader& other = request.check->scores->header();
        if (other.context_tokens != header.context_tokens ||
            other.page_tokens != header.page_tokens) {
            return bad_input("--check",
                             fmt::format("was recorded at a context of {} with pages of {}, the "
                                         "fitted one at {} with {}",
                                         other.context_tokens, other.page_tokens,
                                         header.context_tokens, header.page_tokens));
        }
    }
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    request.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_TRY(request.evaluations, options.integer("--evaluations", 240, 8, 1 << 20));
    return request;
}

kv::TraceStatistics statistics_of(const Request& request, const Trace& trace,
                                  kv::TraceWindow window) {
    return kv::mean_statistics(kv::trace_statistics(*trace.scores, trace.streams, window,
                                                    request.budget_pages, request.threads));
}

void write_header(JsonWriter& json, const Trace& trace) {
    const kv::ScoreFileHeader& header = trace.scores->header();
    json.member("file", trace.path);
    json.member("model", header.model);
    json.member("context_tokens", header.context_tokens);
    json.member("page_size_tokens", header.page_tokens);
    json.member("recorded_steps", trace.scores->extent().steps);
}

struct Output {
    std::string text;
    std::string json;
};

Output describe(const Request& request) {
    const Trace& trace = request.trace;
    std::vector<kv::TraceStatistics> all =
        kv::trace_statistics(*trace.scores, trace.streams, {0, trace.scores->extent().steps},
                             request.budget_pages, request.threads);
    std::vector<std::string> names;
    for (const kv::StreamId& id : trace.streams) {
        names.push_back(fmt::format("{}/{}", id.request, id.layer));
    }
    all.push_back(kv::mean_statistics(all));
    names.emplace_back("mean");
    JsonWriter json;
    json.begin_object();
    write_header(json, trace);
    json.key("by_stream");
    json.begin_array();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i + 1 == all.size()) {
            json.end_array();
            json.key("mean");
        }
        json.begin_object();
        if (i < trace.streams.size()) {
            json.member("request", trace.streams[i].request);
            json.member("layer", trace.streams[i].layer);
        }
        write_statistics_members(json, all[i]);
        json.end_object();
    }
    json.end_object();
    const kv::ScoreFileHeader& header = trace.scores->header();
    return {fmt::format("{}: {} at a context of {}, pages of {} tokens, {} steps\n\n{}", trace.path,
                        header.model, format_tokens(header.context_tokens), header.page_tokens,
                        trace.scores->extent().steps, statistics_table(names, all)),
            std::move(json).finish()};
}

Output fit(const Request& request) {
    const Trace& trace = request.trace;
    const std::int64_t half = trace.scores->extent().steps / 2;
    const kv::TraceStatistics seen = statistics_of(request, trace, {0, half});
    const kv::TraceStatistics later = statistics_of(request, trace, {half, half});
    kv::FitOptions options;
    const kv::ScoreFileHeader& header = trace.scores->header();
    options.shape = {header.context_tokens, header.page_tokens};
    options.seed = request.seed;
    options.evaluations = request.evaluations;
    options.threads = request.threads;
    TokenProgress progress("scores", options.evaluations + 3, "tries");
    options.evaluated = [&](std::int64_t done) { progress.show(done); };
    kv::TraceFit found = kv::fit_synthetic(seen, options);
    // What is printed is what is judged.
    found.parameters = rounded(found.parameters);
    found.fitted = kv::synthetic_statistics(found.parameters, seen, options);
    const kv::TraceStatistics assumed = kv::synthetic_statistics({}, seen, options);
    // Another seed, so that luck with the numbers of the search does not count.
    kv::FitOptions fresh = options;
    fresh.seed = request.seed + 1;
    const kv::TraceStatistics again = kv::synthetic_statistics(found.parameters, later, fresh);

    struct Line {
        std::string name;
        double value;
    };
    std::vector<Line> distances{
        {"fitted steps", kv::statistics_distance(seen, found.fitted)},
        {"fitted steps, closed forms alone", found.start_distance},
        {"fitted steps, default parameters", kv::statistics_distance(seen, assumed)},
        {"later steps, held out", kv::statistics_distance(later, again)},
        {"later steps from the fitted steps", kv::statistics_distance(seen, later)}};
    std::optional<kv::TraceStatistics> other;
    if (request.check) {
        const std::int64_t steps = std::min(half, request.check->scores->extent().steps);
        other = statistics_of(request, *request.check, {0, steps});
        distances.push_back({"other text, held out", kv::statistics_distance(*other, again)});
        distances.push_back(
            {"other text from the fitted steps", kv::statistics_distance(seen, *other)});
    }
    const kv::TraceStatistics& held_out = other ? *other : later;
    const auto seen_figures = kv::compare_statistics(seen, found.fitted);
    const auto held_figures = kv::compare_statistics(held_out, again);

    JsonWriter json;
    json.begin_object();
    write_header(json, trace);
    json.member("fitted_steps", half);
    json.member("seed", request.seed);
    json.member("evaluations", found.evaluations);
    json.key("parameters");
    write_parameters(json, found.parameters);
    json.member("set", set_options(found.parameters));
    json.key("closed_forms");
    write_parameters(json, found.start);
    json.key("distances");
    json.begin_object();
    for (const Line& line : distances) json.member(line.name, line.value);
    json.end_object();
    json.key("fitted");
    write_figures(json, seen_figures);
    json.key("later_steps");
    write_figures(json, kv::compare_statistics(later, again));
    if (other) {
        json.key("other_text");
        write_figures(json, held_figures);
    }
    json.key("recorded_statistics");
    json.begin_object();
    write_statistics_members(json, seen);
    json.end_object();
    json.key("fitted_statistics");
    json.begin_object();
    write_statistics_members(json, found.fitted);
    json.end_object();
    json.end_object();

    std::string text = fmt::format("{}; held out: {}\n\n", trace.path,
                                   other ? request.check->path : std::string("its later steps"));
    text += figures_table(seen_figures, held_figures);
    text +=
        "\ndistance, root mean square of the errors (0.1: a typical figure is off by a tenth)\n";
    for (const Line& line : distances)
        text += fmt::format("  {:<36}{:.3f}\n", line.name, line.value);
    text += fmt::format("\nparameters, fitted, for simulate:\n{}\n", set_options(found.parameters));
    return {std::move(text), std::move(json).finish()};
}

}  // namespace

int run_scores(const std::vector<std::string>& arguments) {
    const std::string what = arguments.empty() ? "--help" : arguments.front();
    const bool known = what == "describe" || what == "fit";
    Options options(known ? "scores " + what : std::string("scores describe|fit"),
                    what == "fit" ? "Fits the synthetic page scores to a recording's first half."
                                  : "Statistics of recorded page scores, by stream and budget.",
                    examples);
    options.add_positional("FILE", "what run --record-scores has written", false);
    options.add("--budgets", "TOKENS,..",
                "sizes of the top set (default: a sixteenth, an eighth, a quarter of the context)");
    options.add("--layers", "N,..", "only these of the file's layers (default: all)");
    if (what != "describe") {
        options.group("Fitting");
        options.add("--check", "FILE", "another recording, to judge the fit by");
        options.add("--evaluations", "N", "tries of the search, at most (default: 240)");
        options.add("--seed", "N", "of the synthetic scores (default: 1)");
    }
    options.group("Running");
    options.add("--threads", "N", "0: all cores (default); never changes the result");
    options.add("--json", "FILE", "the same as JSON; '-' for standard output");
    if (!known && what != "--help" && what != "-h" && what != "help") {
        return fail("scores", bad_input("", fmt::format("unknown subcommand {}{}", in_quotes(what),
                                                        hint(what, {"describe", "fit"}))));
    }
    const std::string command = known ? "scores " + what : "scores";
    std::vector<std::string> rest{"--help"};
    if (known) rest.assign(arguments.begin() + 1, arguments.end());
    if (const Status parsed = options.parse(rest); !parsed.ok()) {
        return fail(command, parsed.error());
    }
    if (options.help_shown()) return arguments.empty() ? 2 : 0;
    const std::vector<std::string> files = options.all("FILE");
    const Result<bool> on_standard_output =
        check_outputs(options, {"--json"},
                      {{"FILE", files.empty() ? "" : files.front()},
                       {"--check", what == "fit" ? options.text_or("--check", "") : ""}});
    if (!on_standard_output.ok()) return fail(command, on_standard_output.error());
    const Result<Request> request = read_request(options, what == "fit");
    if (!request.ok()) return fail(command, request.error());
    const Output output = request->fit ? fit(*request) : describe(*request);
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, output.json);
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail(command, written.error());
    }
    return *on_standard_output ? 0 : print(command, output.text);
}

}  // namespace memside::cli
