// What is decoded: the shape of a dense decoder-only transformer with grouped-query attention, and
// what follows from it per token: weights, KV-cache bytes, FLOPs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memside {

enum class Architecture { llama, qwen2, qwen3, gemma3 };
std::string_view architecture_name(Architecture architecture);

// Parameters and stored bytes of one part of the model, summed over all its layers.
struct WeightPart {
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;
};

struct ModelWeights {      // biases count with their projection
    WeightPart qkv;        // query, key and value projections
    WeightPart attn_out;   // output projection
    WeightPart ffn_up;     // gate and up projections
    WeightPart ffn_down;   // down projection
    WeightPart norms;      // every normalisation weight, q/k norms and the final norm included
    WeightPart embedding;  // token embedding
    WeightPart lm_head;    // zero when tied: the embedding is read in its place

    std::int64_t parameters() const;
    std::int64_t bytes() const;  // as stored: what the model takes in memory
};

struct ModelSpec {
    std::string name;
    Architecture architecture = Architecture::llama;
    int layers = 0;
    int hidden = 0;
    int heads = 0;
    int kv_heads = 0;
    int head_dim = 0;
    int ffn = 0;
    int vocab = 0;
    std::int64_t window_tokens = 0;  // longest context the model was trained for
    bool tied_embeddings = false;
    int sliding_window_tokens = 0;  // 0: no layer slides
    std::vector<bool> sliding;      // per layer; empty when no layer slides
    ModelWeights weights;
    std::string weight_type;  // "bf16", "f16", "f32" or the GGUF file's main type
    std::string source;       // the file it was read from

    bool slides(int layer) const { return !sliding.empty() && sliding[static_cast<size_t>(layer)]; }
    int full_layers() const;     // layers that attend to the whole context
    int sliding_layers() const;  // layers that attend to sliding_window_tokens at most
    int group_size() const { return heads / kv_heads; }

    // K and V values that one layer stores per token: 2 x kv_heads x head_dim.
    std::int64_t kv_values_per_token_layer() const;

    // KV-cache bytes of one token summed over all layers, `bits` per value: what a token costs
    // while it is inside every layer's span.
    std::int64_t kv_bytes_per_token(int bits) const;

    // Tokens that layer `layer` keeps of a context: all, or the sliding window.
    std::int64_t kept_tokens(int layer, std::int64_t context_tokens) const;

    // FLOPs of one token through every weight matrix (2 per parameter; norms and the embedding
    // look-up are not counted, the output head is, tied or not).
    double fc_flops_per_token() const;

    // FLOPs of QK^T and SV of one token in all layers when every layer attends to all it keeps:
    // 4 x heads x head_dim per kept token.
    double attention_flops_per_token(std::int64_t context_tokens) const;
};

// Which projections have a bias; none has in most models.
struct ModelBiases {
    bool qkv = false;
    bool attn_out = false;
    bool ffn = false;  // gate, up and down
};

// Fills `spec.weights` from the shape, every weight stored in `bytes_per_weight` bytes. The fields
// above `weights` must be set; q/k norms follow from the architecture.
void derive_weights(ModelSpec& spec, int bytes_per_weight, ModelBiases biases);

}  // namespace memside
