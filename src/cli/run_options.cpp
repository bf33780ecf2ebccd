#include "cli/run_options.h"

#include "base/number.h"
#include "base/text.h"
#include "cli/kv_options.h"

namespace memside::cli {
namespace {

constexpr std::int64_t max_generated = std::int64_t{1} << 24;
constexpr std::size_t max_prompt_bytes = std::size_t{1} << 30;

Result<std::optional<std::string>> read_prompt(const Options& options) {
    const auto text = options.text("--prompt");
    const auto file = options.text("--prompt-file");
    if (text && file) return bad_input("--prompt-file", "is given beside --prompt; give one");
    if (text) return text;
    if (file) {
        MEMSIDE_TRY(std::string content, read_file(*file, max_prompt_bytes));
        return std::optional(std::move(content));
    }
    if (options.text("--kv-load") && !options.flag("--chat")) return std::optional<std::string>();
    return bad_input("--prompt", "is required, or --prompt-file; --help shows examples");
}

Result<double> number(const Options& options, const std::string& name, double fallback) {
    const auto given = options.text(name);
    if (!given) return fallback;
    return parse_number(*given, name);
}

}  // namespace

void declare_run_options(Options& options) {
    options.group("Model and prompt");
    options.add("--model", "FILE", "a .gguf file, of a split one the first part");
    options.add("--prompt", "TEXT", "what to complete");
    options.add("--prompt-file", "FILE", "the same from a file");
    options.add_flag("--raw", "the prompt as it is, without a chat template (default)");
    options.add_flag("--chat", "the model's chat template around the prompt");
    options.add("--prompt-tokens", "N", "keep the first N tokens of the prompt (default: all)");
    options.add("--prompt-steps", "N",
                "feed the prompt's last N tokens as decode steps, one at a time (default: 0)");
    options.add("--system-prompt", "TEXT", "what the system says before it; with --chat");
    options.group("Generating");
    options.add("--max-tokens", "N", "tokens to generate (default: 128)");
    options.add("--temperature", "T", "0: always the likeliest token (default)");
    options.add("--top-k", "K", "draw among the K likeliest tokens; 0: all (default)");
    options.add("--top-p", "P", "draw among the likeliest that add up to P (default: 1)");
    options.add("--seed", "N", "of the draws (default: 1)");
    options.add_repeated("--stop", "TEXT", "end before this text; may be given several times");
    declare_kv_options(options);
    declare_saved_options(options);
    options.group("Running");
    options.add("--threads", "N", "0: all cores (default)");
    options.add("--record-scores", "FILE",
                "page scores of the decode steps, for simulate --scores and memside scores");
    options.add("--json", "FILE", "text, tokens and statistics as JSON; '-' for standard output");
}

Result<RunRequest> read_run_request(const Options& options) {
    RunRequest request;
    MEMSIDE_TRY(request.model, options.required("--model"));
    MEMSIDE_TRY(request.prompt, read_prompt(options));
    request.chat = options.flag("--chat");
    request.system_prompt = options.text("--system-prompt");
    if (request.chat && options.flag("--raw")) {
        return bad_input("--raw", "is given beside --chat; give one");
    }
    if (request.system_prompt && !request.chat) {
        return bad_input("--system-prompt", "needs --chat; --raw completes the prompt as it is");
    }
    engine::GenerateOptions& generate = request.generate;
    MEMSIDE_TRY(generate.max_tokens, options.integer("--max-tokens", 128, 1, max_generated));
    if (const auto kept = options.text("--prompt-tokens")) {
        MEMSIDE_TRY(request.prompt_tokens, parse_tokens(*kept, "--prompt-tokens"));
    }
    MEMSIDE_TRY(generate.prompt_steps, options.integer("--prompt-steps", 0, 0, max_generated));
    MEMSIDE_TRY(generate.sampler.temperature, number(options, "--temperature", 0.0));
    MEMSIDE_TRY(generate.sampler.top_k, options.integer("--top-k", 0, 0, INT32_MAX));
    MEMSIDE_TRY(generate.sampler.top_p, number(options, "--top-p", 1.0));
    MEMSIDE_TRY(const std::int64_t seed, options.integer("--seed", 1, 0, INT64_MAX));
    generate.sampler.seed = static_cast<std::uint64_t>(seed);
    MEMSIDE_CHECK(engine::check_sampler(generate.sampler));
    generate.stops = options.all("--stop");
    for (const std::string& stop : generate.stops) {
        if (stop.empty()) return bad_input("--stop", "is empty; it would stop before any text");
    }
    engine::DecoderOptions& decoder = request.decoder;
    MEMSIDE_TRY(request.saved, read_saved_options(options));
    request.page_size_given = options.text("--page-size").has_value();
    request.record_scores = options.text("--record-scores");
    MEMSIDE_CHECK(read_kv_options(options, decoder, request.record_scores.has_value()));
    MEMSIDE_CHECK(check_saved_tier(request.saved, decoder.tier));
    if (request.record_scores && (request.saved.load || !decoder.tier.folder.empty())) {
        return bad_input("--record-scores",
                         fmt::format("does not go with {}; every key must come by in memory",
                                     request.saved.load ? "--kv-load" : "--kv-tier file:DIR"));
    }
    MEMSIDE_TRY(const std::int64_t threads, options.integer("--threads", 0, 0, 1024));
    decoder.threads = static_cast<unsigned>(threads);
    return request;
}

}  // namespace memside::cli
