#include "engine/generate.h"

#include "base/clock.h"
#include "engine/stop_text.h"

namespace memside::engine {
Result<Generation> generate(Decoder& decoder, const Tokenizer& tokenizer,
                            std::span<const TokenId> prompt, const GenerateOptions& options,
                            const std::function<bool(std::string_view)>& show) {
    Generation result;
    Sampler sampler(options.sampler);
    StreamDecoder stream(tokenizer);
    StopText stop(options.stops);
    bool wanted = true;
    const auto emit = [&](const std::string& text) {
        result.text += text;
        if (!text.empty()) wanted = show(text);
    };

    double start = seconds_now();
    const std::size_t block = prompt.size() - static_cast<std::size_t>(options.prompt_steps);
    MEMSIDE_TRY(std::span<const float> logits, decoder.feed(prompt.first(block), options.fed));
    result.prefill_s = seconds_now() - start;
    decoder.reset_statistics();
    // An embedding may have rows beyond the tokenizer's vocabulary, which stand for nothing.
    const auto vocab = static_cast<std::size_t>(tokenizer.vocab_size());
    start = seconds_now();
    for (std::size_t at = block; at < prompt.size(); ++at) {
        MEMSIDE_TRY(logits, decoder.feed(prompt.subspan(at, 1)));
        ++result.decode_steps;
    }
    while (static_cast<std::int64_t>(result.tokens.size()) < options.max_tokens) {
        const TokenId token = sampler.next(logits.first(vocab));
        result.tokens.push_back(token);
        if (tokenizer.is_end(token)) break;
        emit(stop.push(stream.push(token)));
        if (stop.stopped() || !wanted) break;
        if (static_cast<std::int64_t>(result.tokens.size()) == options.max_tokens) break;
        MEMSIDE_TRY(logits, decoder.feed(std::span(&token, 1)));
        ++result.decode_steps;
    }
    result.decode_s = seconds_now() - start;
    result.decode = decoder.statistics();
    if (!stop.stopped()) emit(stop.push(stream.finish()));
    if (!stop.stopped()) emit(stop.finish());
    return result;
}

}  // namespace memside::engine
