// Measures decode steps of a model at a depth: a sequence of that many tokens, whose keys and
// values are random or those of a text, and then tokens one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "engine/decoder.h"

namespace memside::engine {

struct DecodeBenchOptions {
    DecoderOptions decoder;         // its capacity is set by the bench
    std::int64_t depth_tokens = 0;  // at least 0
    std::span<const TokenId> text;  // depth_tokens tokens to fill with; empty: random ones
    std::int64_t warmup_steps = 3;  // not counted: they fill caches and the pool
    std::int64_t min_steps = 8;
    std::int64_t max_steps = 256;
    double seconds = 5.0;  // of measuring; fewer after max_steps
    std::uint64_t seed = 1;
    std::function<void(std::int64_t tokens)> fed;  // hears how many are in, if set
    std::function<Status(Decoder&)> filled;        // before the first step, if set
};

struct DecodeBenchResult {
    double step_s = 0.0;  // median
    std::int64_t steps = 0;
    double total_s = 0.0;  // of those steps
    double fill_s = 0.0;
    StepStatistics statistics;  // of those steps
    KvMemory memory;
    unsigned threads = 0;
};

// The id that stands for a token whose keys and values are random.
TokenId random_token(std::uint64_t seed, std::int64_t position, std::int64_t vocab);

// Errors are those of Decoder::make(), and of `filled`.
Result<DecodeBenchResult> bench_decode(const ModelFile& model, const DecodeBenchOptions& options);

}  // namespace memside::engine
