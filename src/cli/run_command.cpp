// memside run: a real model on this machine.
#include <sys/resource.h>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/run_options.h"
#include "cli/terminal.h"
#include "engine/attention_kernel.h"
#include "engine/chat_template.h"
#include "engine/decoder_weights.h"
#include "engine/matmul.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside run --model gemma-3-270m-q4_k_m.gguf --prompt 'The capital of France is'\n"
    "  memside run --model model.gguf --prompt-file story.txt --max-tokens 500 \\\n"
    "      --temperature 0.8 --top-p 0.95 --seed 7 --json result.json\n"
    "  memside run --model model.gguf --chat --system-prompt 'Be brief.' --prompt 'Why is the sky "
    "blue?'\n";

struct RunResult {
    engine::Generation generation;
    std::int64_t prompt_tokens = 0;
    std::string kernels;

    double decode_tok_per_s() const {
        return generation.decode_s > 0.0
                   ? static_cast<double>(generation.decode_steps) / generation.decode_s
                   : 0.0;
    }
    double per_step(std::int64_t total) const {
        return generation.decode_steps > 0
                   ? static_cast<double>(total) / static_cast<double>(generation.decode_steps)
                   : 0.0;
    }
    double attention_share() const {
        const engine::StepTimes& times = generation.decode_times;
        return times.total_s > 0.0 ? times.attention_s / times.total_s : 0.0;
    }
};

std::int64_t peak_rss_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::int64_t{usage.ru_maxrss} * 1024;
}

std::string to_json(const RunResult& result) {
    const engine::Generation& generation = result.generation;
    JsonWriter json;
    json.begin_object();
    json.member("text", generation.text);
    json.key("token_ids");
    json.begin_array(JsonWriter::Layout::one_line);
    for (const engine::TokenId token : generation.tokens) json.value(std::int64_t{token});
    json.end_array();
    json.member("prompt_tokens", result.prompt_tokens);
    json.member("generated_tokens", static_cast<std::int64_t>(generation.tokens.size()));
    json.member("policy", "dense");
    json.member("kernels", result.kernels);
    json.member("prefill_s", generation.prefill_s);
    json.member("decode_tok_per_s", result.decode_tok_per_s());
    // Without meaning where every page is attended where it is.
    for (const char* key : {"budget_tokens", "pages_selected_per_step", "pages_scanned_per_step",
                            "pages_recalled_per_step"}) {
        json.key(key);
        json.null();
    }
    json.member("kv_bytes_read_per_step", result.per_step(generation.decode_kv_bytes));
    json.key("bytes_read");
    json.begin_object(JsonWriter::Layout::one_line);
    json.member("dram", generation.decode_kv_bytes);
    json.end_object();
    json.key("time_share");
    json.begin_object(JsonWriter::Layout::one_line);
    json.member("scoring", 0.0);
    json.member("attention", result.attention_share());
    json.member("fc", 1.0 - result.attention_share());
    json.end_object();
    json.member("peak_rss_bytes", peak_rss_bytes());
    json.end_object();
    return std::move(json).finish();
}

std::string statistics(const RunResult& result) {
    const engine::Generation& generation = result.generation;
    return fmt::format(
        "{} prompt tokens in {} ({:.1f} tok/s), {} generated at {:.1f} tok/s; attention {:.1f} % "
        "of "
        "a step, {} of keys and values read per step; {}; peak memory {}",
        result.prompt_tokens, format_seconds(generation.prefill_s),
        static_cast<double>(result.prompt_tokens) / generation.prefill_s, generation.tokens.size(),
        result.decode_tok_per_s(), 100.0 * result.attention_share(),
        format_bytes(result.per_step(generation.decode_kv_bytes)), result.kernels,
        format_bytes(static_cast<double>(peak_rss_bytes())));
}

Result<std::vector<engine::TokenId>> prompt_tokens(const RunRequest& request,
                                                   const engine::Tokenizer& tokenizer) {
    std::vector<engine::TokenId> tokens;
    if (request.chat) {
        MEMSIDE_TRY(const engine::ChatFormat format,
                    engine::ChatFormat::detect(tokenizer, request.model));
        std::vector<engine::ChatMessage> messages;
        if (request.system_prompt) {
            messages.push_back({engine::ChatRole::system, *request.system_prompt});
        }
        messages.push_back({engine::ChatRole::user, request.prompt});
        MEMSIDE_TRY(const engine::ChatPrompt prompt, format.render(messages));
        tokens = tokenizer.encode(prompt.text, prompt.literal);
    } else {
        tokens = tokenizer.encode(request.prompt, true);
    }
    tokenizer.prepend_bos(tokens);
    if (tokens.empty()) return bad_input("--prompt", "is empty, and the model has no BOS token");
    return tokens;
}

Result<RunResult> run(const RunRequest& request, bool show_text) {
    MEMSIDE_TRY(const engine::ModelFile model, engine::open_model(request.model));
    MEMSIDE_TRY(const auto tokenizer, engine::Tokenizer::make(model.header, request.model));
    if (tokenizer->vocab_size() > model.config.spec.vocab) {
        return bad_input(request.model,
                         fmt::format("has {} tokens but an embedding of {}",
                                     tokenizer->vocab_size(), model.config.spec.vocab));
    }
    MEMSIDE_TRY(const std::vector<engine::TokenId> prompt, prompt_tokens(request, *tokenizer));
    engine::DecoderOptions options = request.decoder;
    options.capacity_tokens =
        static_cast<std::int64_t>(prompt.size()) + request.generate.max_tokens;
    if (options.capacity_tokens > model.config.spec.window_tokens) {
        note("run", fmt::format("{} tokens are beyond the {} that the model was trained for",
                                options.capacity_tokens, model.config.spec.window_tokens));
    }
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model, options));
    RunResult result;
    result.prompt_tokens = static_cast<std::int64_t>(prompt.size());
    result.kernels =
        fmt::format("{} weights, {} attention, {} threads", engine::matmul_variant().name,
                    engine::attention_variant().name, decoder->threads());
    Status written;
    result.generation = engine::generate(*decoder, *tokenizer, prompt, request.generate,
                                         [&](std::string_view text) {
                                             if (show_text) written = write_standard_output(text);
                                             return written.ok();
                                         });
    if (show_text && written.ok()) written = write_standard_output("\n");
    if (!written.ok()) return written.error();
    return result;
}

}  // namespace

int run_run(const std::vector<std::string>& arguments) {
    Options options("run", "Generates text with a real model on this machine.", examples);
    declare_run_options(options);
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("run", parsed.error());
    }
    if (options.help_shown()) return 0;
    const Result<RunRequest> request = read_run_request(options);
    if (!request.ok()) return fail("run", request.error());
    const Result<bool> on_standard_output = check_outputs(
        options, {"--json"},
        {{"--model", request->model}, {"--prompt-file", options.text_or("--prompt-file", "")}});
    if (!on_standard_output.ok()) return fail("run", on_standard_output.error());
    const Result<RunResult> result = run(*request, !*on_standard_output);
    if (!result.ok()) return fail("run", result.error());
    note("run", statistics(*result));
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(*result));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("run", written.error());
    }
    return 0;
}

}  // namespace memside::cli
