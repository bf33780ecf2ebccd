// What a decoder-only transformer computes beyond its shape: one description for llama, qwen2,
// qwen3 and gemma3, so that there is one forward pass.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/gguf_header.h"
#include "model/model_spec.h"

namespace memside::engine {

// Which values of a head a rotation turns together, of `rope_dims` rotated ones.
enum class RopePairs {
    neighbours,  // 2i and 2i + 1 (llama)
    halves,      // i and i + rope_dims / 2 (qwen, gemma)
};

// How positions are stretched beyond the training context.
struct RopeScaling {
    enum class Kind { none, linear, yarn };
    Kind kind = Kind::none;
    double factor = 1.0;
    double original_context = 0.0;  // tokens; yarn
    double beta_fast = 32.0;        // yarn: rotations above which a pair is not stretched
    double beta_slow = 1.0;         // yarn: rotations below which it is stretched in full
    double attention_factor = 1.0;  // yarn: multiplies cosine and sine, times 1 + 0.1 ln(factor)
};

struct RopeConfig {
    double base = 10000.0;
    RopeScaling scaling;
};

enum class FfnGate { silu, gelu_tanh };

struct DecoderConfig {
    ModelSpec spec;
    float norm_epsilon = 0.0F;
    float attention_scale = 0.0F;  // multiplies q.k
    float embedding_scale = 1.0F;  // multiplies the embedding: sqrt(hidden) for gemma3
    float logit_cap = 0.0F;        // c: logits become c tanh(x / c); 0: they stay
    FfnGate gate = FfnGate::silu;
    RopePairs rope_pairs = RopePairs::neighbours;
    int rope_dims = 0;  // the first ones of each head
    RopeConfig rope;
    RopeConfig sliding_rope;  // of the layers that slide
    bool qk_norm = false;     // RMSNorm of every query and key head before rotation
    bool post_norms = false;  // a norm on each branch before it is added to the residual
};

// Reads a file's description. Missing or impossible values are bad input that names the key.
Result<DecoderConfig> read_decoder_config(const GgufHeader& header, const std::string& file);

}  // namespace memside::engine
