#include "cli/bench_decode.h"

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/kv_options.h"
#include "cli/options.h"
#include "cli/run_report.h"
#include "cli/saved_run.h"
#include "cli/terminal.h"
#include "cli/token_progress.h"
#include "engine/attention_kernel.h"
#include "engine/decode_bench.h"
#include "engine/matmul.h"
#include "engine/tokenizer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside bench decode --model llama.gguf --depth 32K --fill random\n"
    "  memside bench decode --model llama.gguf --depth 128K --fill random --policy pnm-kv \\\n"
    "      --dense-layers 0 --json -\n"
    "  memside bench decode --model gemma.gguf --depth 8K --fill book.txt --policy recall\n";

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

struct Request {
    std::string model;
    std::string fill;  // "random" or a file
    engine::DecodeBenchOptions bench;
    std::optional<std::string> save;
};

Result<Request> read_request(const Options& options) {
    Request request;
    MEMSIDE_TRY(request.model, options.required("--model"));
    request.fill = options.text_or("--fill", "random");
    engine::DecodeBenchOptions& bench = request.bench;
    // Depth 0 is an empty cache, which no other token count may be.
    if (const std::string depth = options.text_or("--depth", "0"); depth != "0") {
        MEMSIDE_TRY(bench.depth_tokens, parse_tokens(depth, "--depth"));
    }
    MEMSIDE_TRY(bench.max_steps, options.integer("--steps", 256, 1, 1 << 20));
    bench.min_steps = std::min(bench.min_steps, bench.max_steps);
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    bench.decoder.threads = static_cast<unsigned>(threads);
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    bench.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_CHECK(read_kv_options(options, bench.decoder));
    MEMSIDE_TRY(request.save, read_kv_save(options));
    SavedRunOptions saved;
    saved.save = request.save;
    MEMSIDE_CHECK(check_saved_tier(saved, bench.decoder.tier));
    if (request.save && bench.depth_tokens == 0) {
        return bad_input("--kv-save", "has nothing to save at --depth 0");
    }
    return request;
}

// The first depth_tokens tokens of the text.
Result<std::vector<engine::TokenId>> tokens_of(const Request& request,
                                               const engine::ModelFile& model) {
    MEMSIDE_TRY(const auto tokenizer, engine::Tokenizer::make(model.header, request.model));
    MEMSIDE_TRY(const std::string text, read_file(request.fill, max_text_bytes));
    std::vector<engine::TokenId> tokens = tokenizer->encode(text, false);
    tokenizer->prepend_bos(tokens);
    if (static_cast<std::int64_t>(tokens.size()) < request.bench.depth_tokens) {
        return bad_input("--fill", fmt::format("{} has {} tokens, fewer than the depth of {}",
                                               in_quotes(request.fill), tokens.size(),
                                               request.bench.depth_tokens));
    }
    for (const engine::TokenId token : tokens) {
        if (token >= model.config.spec.vocab) {
            return bad_input(request.model, "has tokens without a row of the embedding");
        }
    }
    tokens.resize(static_cast<std::size_t>(request.bench.depth_tokens));
    return tokens;
}

struct Outcome {
    engine::DecodeBenchResult bench;
    DecodeReport report;
    SavedRunReport saved;
};

Result<Outcome> measure(Request request) {
    MEMSIDE_TRY(const engine::ModelFile model, engine::open_model(request.model));
    std::vector<engine::TokenId> text;
    if (request.fill != "random" && request.bench.depth_tokens > 0) {
        MEMSIDE_TRY(text, tokens_of(request, model));
        request.bench.text = text;
    }
    TokenProgress progress("bench", request.bench.depth_tokens);
    request.bench.fed = [&](std::int64_t tokens) { progress.show(tokens); };
    SavedRunOptions saving;
    saving.save = request.save;
    MEMSIDE_TRY(SavedRun saved,
                SavedRun::open(saving, model, request.model, request.bench.decoder.threads));
    if (saved.saves()) {
        request.bench.filled = [&](engine::Decoder& decoder) {
            while (static_cast<std::int64_t>(text.size()) < decoder.length()) {
                text.push_back(engine::random_token(request.bench.seed,
                                                    static_cast<std::int64_t>(text.size()),
                                                    model.config.spec.vocab));
            }
            return saved.save(decoder, text);
        };
    }
    MEMSIDE_TRY(const engine::DecodeBenchResult result, engine::bench_decode(model, request.bench));
    Outcome outcome{result, {}, saved.report()};
    outcome.report.policy = request.bench.decoder.policy;
    outcome.report.set_store(result.memory);
    outcome.report.steps = result.steps;
    // The median step: a machine that others use too disturbs some steps.
    outcome.report.decode_s = result.step_s * static_cast<double>(result.steps);
    outcome.report.statistics = result.statistics;
    outcome.report.kernels =
        fmt::format("{} weights, {} attention, {} threads", engine::matmul_variant().name,
                    engine::attention_variant().name, result.threads);
    return outcome;
}

std::string to_json(const Request& request, const Outcome& outcome) {
    JsonWriter json;
    json.begin_object();
    json.member("depth_tokens", request.bench.depth_tokens);
    json.member("fill", request.fill);
    json.member("steps", outcome.bench.steps);
    json.member("step_s_p50", outcome.bench.step_s);
    json.member("fill_s", outcome.bench.fill_s);
    write_saved_members(json, outcome.saved);
    write_decode_members(json, outcome.report);
    json.end_object();
    return std::move(json).finish();
}

std::string to_text(const Request& request, const Outcome& outcome) {
    std::string text = fmt::format("decode at depth {}: {} a token (median of {} steps)\n",
                                   request.bench.depth_tokens, format_seconds(outcome.bench.step_s),
                                   outcome.bench.steps);
    for (const std::string& line : describe_decode(outcome.report)) text += line + "\n";
    return text;
}

}  // namespace

int run_bench_decode(const std::vector<std::string>& arguments) {
    Options options("bench decode", "Measures decode steps of a model at a depth.", examples);
    options.group("Model and sequence");
    options.add("--model", "FILE", "a .gguf file, of a split one the first part");
    options.add("--depth", "TOKENS", "tokens before the first step: 0 (default), 32K, 128K");
    options.add("--fill", "WITH",
                "random keys and values (default: random), or those of a text file");
    options.add("--steps", "N", "at most, after 3 that are not counted (default: 256)");
    declare_kv_options(options);
    options.group("Keeping the sequence");
    options.add("--kv-save", "FILE", "keep what it is filled with, for run --kv-load");
    options.group("Running");
    options.add("--threads", "N", "0: all cores (default)");
    options.add("--seed", "N", "of random values and tokens (default: 1)");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("bench", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<Request> request = read_request(options);
    if (!request.ok()) return fail("bench", request.error());
    const Result<bool> on_standard_output =
        check_outputs(options, {"--json", "--kv-save"}, {{"--model", request->model}});
    if (!on_standard_output.ok()) return fail("bench", on_standard_output.error());
    const Result<Outcome> outcome = measure(*request);
    if (!outcome.ok()) return fail("bench", outcome.error());
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(*request, *outcome));
    if (!*on_standard_output) outputs.add("-", to_text(*request, *outcome));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("bench", written.error());
    }
    return 0;
}

}  // namespace memside::cli
