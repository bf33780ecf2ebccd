// memside run: a real model on this machine.
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/run_options.h"
#include "cli/run_report.h"
#include "cli/terminal.h"
#include "cli/token_progress.h"
#include "engine/attention_kernel.h"
#include "engine/chat_template.h"
#include "engine/decoder_weights.h"
#include "engine/matmul.h"
#include "engine/score_recorder.h"
#include "kv/layout.h"
#include "report/json_writer.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside run --model gemma-3-270m-q4_k_m.gguf --prompt 'The capital of France is'\n"
    "  memside run --model model.gguf --prompt-file story.txt --max-tokens 500 \\\n"
    "      --temperature 0.8 --top-p 0.95 --seed 7 --json result.json\n"
    "  memside run --model model.gguf --prompt-file book.txt --policy pnm-kv --budget 4096 \\\n"
    "      --digest centre-mad\n"
    "  memside run --model model.gguf --prompt-file book.txt --max-tokens 1 --kv-save book.kv\n"
    "  memside run --model model.gguf --prompt-file book-and-question.txt --kv-load book.kv\n"
    "  memside run --model model.gguf --chat --system-prompt 'Be brief.' --prompt 'Why is the sky "
    "blue?'\n";

struct RunResult {
    engine::Generation generation;
    std::int64_t prompt_tokens = 0;
    SavedRunReport saved;
    DecodeReport decode;
};

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
    json.member("prefill_s", generation.prefill_s);
    write_saved_members(json, result.saved);
    write_decode_members(json, result.decode);
    json.end_object();
    return std::move(json).finish();
}

// On standard error, a line each.
void show_statistics(const RunResult& result) {
    const engine::Generation& generation = result.generation;
    const std::int64_t fed = result.prompt_tokens - result.saved.loaded_tokens.value_or(0);
    note("run", fmt::format("{} prompt tokens in {}, {:.1f} tok/s", fed,
                            format_seconds(generation.prefill_s),
                            static_cast<double>(fed) / generation.prefill_s));
    std::vector<std::string> lines = describe_decode(result.decode);
    lines.front() = fmt::format("{} generated at {}", generation.tokens.size(), lines.front());
    for (const std::string& line : lines) note("run", line);
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
        messages.push_back({engine::ChatRole::user, request.prompt.value_or("")});
        MEMSIDE_TRY(const engine::ChatPrompt prompt, format.render(messages));
        tokens = tokenizer.encode(prompt.text, prompt.literal);
    } else {
        tokens = tokenizer.encode(request.prompt.value_or(""), true);
    }
    tokenizer.prepend_bos(tokens);
    if (const auto kept = request.prompt_tokens) {
        if (*kept > std::ssize(tokens)) {
            return bad_input("--prompt-tokens",
                             fmt::format("{} of a prompt of {} tokens", *kept, tokens.size()));
        }
        tokens.resize(static_cast<std::size_t>(*kept));
    }
    if (tokens.empty()) return bad_input("--prompt", "is empty, and the model has no BOS token");
    return tokens;
}

// The last token was drawn and not fed: it is, so that all of them are kept.
Status save(SavedRun& saved, engine::Decoder& decoder, std::vector<engine::TokenId> tokens,
            const std::vector<engine::TokenId>& generated) {
    tokens.insert(tokens.end(), generated.begin(), generated.end());
    MEMSIDE_CHECK(decoder.feed(std::span(tokens).last(1)));
    return saved.save(decoder, tokens);
}

// Records the steps from the end of the prompt's block on; the layers are those that select, or
// would under another policy.
Result<std::unique_ptr<engine::ScoreRecorder>> make_recorder(engine::Decoder& decoder,
                                                             const engine::ModelFile& model,
                                                             const RunRequest& request,
                                                             std::int64_t prompt_tokens) {
    const engine::KvPolicy& policy = request.decoder.policy;
    engine::ScoreRecording recording;
    recording.path = *request.record_scores;
    recording.model = model.config.spec.name;
    recording.context_tokens = prompt_tokens - request.generate.prompt_steps + 1;
    recording.select_per = policy.selection.select_per;
    recording.group_score = policy.selection.group_score;
    kv::PageFormat format;
    format.dense_layers = policy.dense_layers;
    for (int layer = 0; layer < model.config.spec.layers; ++layer) {
        recording.layers.push_back(kv::selects(model.config.spec, format, layer));
    }
    const engine::PolicyAttention* selection = decoder.selection();
    return engine::ScoreRecorder::make(decoder.store(), decoder.pool(), model.config.spec.heads,
                                       recording, policy.digest,
                                       selection == nullptr ? nullptr : &selection->digests());
}

Result<RunResult> run(const RunRequest& request, bool show_text) {
    MEMSIDE_TRY(const engine::ModelFile model, engine::open_model(request.model));
    MEMSIDE_TRY(const auto tokenizer, engine::Tokenizer::make(model.header, request.model));
    if (tokenizer->vocab_size() > model.config.spec.vocab) {
        return bad_input(request.model,
                         fmt::format("has {} tokens but an embedding of {}",
                                     tokenizer->vocab_size(), model.config.spec.vocab));
    }
    MEMSIDE_TRY(SavedRun saved,
                SavedRun::open(request.saved, model, request.model, request.decoder.threads));
    // Without a prompt the saved tokens are it.
    std::vector<engine::TokenId> prompt(saved.tokens().begin(), saved.tokens().end());
    if (request.prompt) {
        MEMSIDE_TRY(prompt, prompt_tokens(request, *tokenizer));
    }
    if (request.generate.prompt_steps >= static_cast<std::int64_t>(prompt.size())) {
        return bad_input(
            "--prompt-steps",
            fmt::format("{} of a prompt of {} tokens; allowed: 0 to {}",
                        request.generate.prompt_steps, prompt.size(), prompt.size() - 1));
    }
    engine::DecoderOptions options = request.decoder;
    if (const auto saved_page = saved.page_tokens(); saved_page && !request.page_size_given) {
        options.page_tokens = *saved_page;
        MEMSIDE_CHECK(engine::check_policy(options.policy, options.page_tokens));
    }
    options.capacity_tokens =
        static_cast<std::int64_t>(prompt.size()) + request.generate.max_tokens;
    if (options.capacity_tokens > model.config.spec.window_tokens) {
        note("run", fmt::format("{} tokens are beyond the {} that the model was trained for",
                                options.capacity_tokens, model.config.spec.window_tokens));
    }
    MEMSIDE_TRY(const auto decoder, engine::Decoder::make(model, options));
    std::unique_ptr<engine::ScoreRecorder> recorder;
    if (request.record_scores) {
        MEMSIDE_TRY(recorder, make_recorder(*decoder, model, request,
                                            static_cast<std::int64_t>(prompt.size())));
        decoder->observe(recorder.get());
    }
    RunResult result;
    result.prompt_tokens = static_cast<std::int64_t>(prompt.size());
    result.decode.policy = options.policy;
    result.decode.set_store(decoder->memory());
    result.decode.kernels =
        fmt::format("{} weights, {} attention, {} threads", engine::matmul_variant().name,
                    engine::attention_variant().name, decoder->threads());
    Status written;
    MEMSIDE_TRY(const std::int64_t loaded, saved.load(*decoder, prompt));
    const auto rest =
        std::span<const engine::TokenId>(prompt).subspan(static_cast<std::size_t>(loaded));
    TokenProgress progress("run", static_cast<std::int64_t>(rest.size()));
    engine::GenerateOptions generate = request.generate;
    generate.prompt_steps =
        std::min(generate.prompt_steps, static_cast<std::int64_t>(rest.size()) - 1);
    generate.fed = [&](std::int64_t tokens) { progress.show(tokens); };
    MEMSIDE_TRY(result.generation,
                engine::generate(*decoder, *tokenizer, rest, generate, [&](std::string_view text) {
                    if (show_text) written = write_standard_output(text);
                    return written.ok();
                }));
    result.decode.steps = result.generation.decode_steps;
    result.decode.decode_s = result.generation.decode_s;
    result.decode.statistics = result.generation.decode;
    if (show_text && written.ok()) written = write_standard_output("\n");
    if (!written.ok()) return written.error();
    if (recorder != nullptr) {
        MEMSIDE_CHECK(recorder->finish());
        note("run", fmt::format("recorded {} steps of {} streams", recorder->steps(),
                                recorder->streams()));
        decoder->observe(nullptr);
    }
    if (saved.saves()) MEMSIDE_CHECK(save(saved, *decoder, prompt, result.generation.tokens));
    result.saved = saved.report();
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
        options, {"--json", "--kv-save", "--record-scores"},
        {{"--model", request->model}, {"--prompt-file", options.text_or("--prompt-file", "")}});
    if (!on_standard_output.ok()) return fail("run", on_standard_output.error());
    if (options.text("--json") && request->saved.load) {
        const Status apart = check_targets({{"--json", *options.text("--json")}},
                                           {{"--kv-load", *request->saved.load}});
        if (!apart.ok()) return fail("run", apart.error());
    }
    const Result<RunResult> result = run(*request, !*on_standard_output);
    if (!result.ok()) return fail("run", result.error());
    show_statistics(*result);
    OutputSet outputs;
    if (const auto path = options.text("--json")) outputs.add(*path, to_json(*result));
    if (const Status written = outputs.commit(); !written.ok()) {
        return fail("run", written.error());
    }
    return 0;
}

}  // namespace memside::cli
