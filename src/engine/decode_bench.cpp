#include "engine/decode_bench.h"

#include <cassert>

#include "base/clock.h"
#include "base/median.h"
#include "kv/counter_random.h"

namespace memside::engine {
namespace {

Status fill(Decoder& decoder, const DecodeBenchOptions& options) {
    if (options.text.empty()) {
        return decoder.fill_random(options.depth_tokens, options.seed);
    }
    assert(static_cast<std::int64_t>(options.text.size()) == options.depth_tokens);
    MEMSIDE_CHECK(decoder.feed(options.text, options.fed));
    return {};
}

}  // namespace

Result<DecodeBenchResult> bench_decode(const ModelFile& model, const DecodeBenchOptions& options) {
    DecoderOptions decoder_options = options.decoder;
    decoder_options.capacity_tokens =
        options.depth_tokens + options.warmup_steps + options.max_steps;
    MEMSIDE_TRY(const auto decoder, Decoder::make(model, decoder_options));
    DecodeBenchResult result;
    result.threads = decoder->threads();
    const double begin = seconds_now();
    MEMSIDE_CHECK(fill(*decoder, options));
    result.fill_s = seconds_now() - begin;

    std::vector<double> times;
    const auto step = [&]() -> Result<double> {
        // Any token will do; another one each time, so that queries differ.
        const std::uint64_t bits = kv::random_bits(kv::key_of({options.seed}),
                                                   static_cast<std::uint64_t>(decoder->length()));
        const auto token =
            static_cast<TokenId>(bits % static_cast<std::uint64_t>(model.config.spec.vocab));
        const double start = seconds_now();
        MEMSIDE_CHECK(decoder->feed(std::span(&token, 1)));
        return seconds_now() - start;
    };
    for (std::int64_t i = 0; i < options.warmup_steps; ++i) MEMSIDE_CHECK(step());
    decoder->reset_statistics();
    while (result.steps < options.max_steps &&
           (result.steps < options.min_steps || result.total_s < options.seconds)) {
        MEMSIDE_TRY(const double seconds, step());
        times.push_back(seconds);
        result.total_s += seconds;
        ++result.steps;
    }
    result.step_s = median(times);
    result.statistics = decoder->statistics();
    return result;
}

}  // namespace memside::engine
