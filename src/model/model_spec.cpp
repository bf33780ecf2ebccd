#include "model/model_spec.h"

#include <algorithm>

namespace memside {

std::string_view architecture_name(Architecture architecture) {
    switch (architecture) {
        case Architecture::llama:
            return "llama";
        case Architecture::qwen2:
            return "qwen2";
        case Architecture::qwen3:
            return "qwen3";
        case Architecture::gemma3:
            return "gemma3";
    }
    return "";
}

namespace {

template <typename Field>
std::int64_t sum(const ModelWeights& w, Field field) {
    std::int64_t total = 0;
    for (const WeightPart* part :
         {&w.qkv, &w.attn_out, &w.ffn_up, &w.ffn_down, &w.norms, &w.embedding, &w.lm_head}) {
        total += part->*field;
    }
    return total;
}

}  // namespace

std::int64_t ModelWeights::parameters() const {
    return sum(*this, &WeightPart::parameters);
}
std::int64_t ModelWeights::bytes() const {
    return sum(*this, &WeightPart::bytes);
}

int ModelSpec::sliding_layers() const {
    return static_cast<int>(std::count(sliding.begin(), sliding.end(), true));
}

int ModelSpec::full_layers() const {
    return layers - sliding_layers();
}

std::int64_t ModelSpec::kv_values_per_token_layer() const {
    return std::int64_t{2} * kv_heads * head_dim;
}

std::int64_t ModelSpec::kv_bytes_per_token(int bits) const {
    return kv_values_per_token_layer() * layers * bits / 8;
}

std::int64_t ModelSpec::kept_tokens(int layer, std::int64_t context_tokens) const {
    if (!slides(layer)) return context_tokens;
    return std::min<std::int64_t>(context_tokens, sliding_window_tokens);
}

double ModelSpec::fc_flops_per_token() const {
    const std::int64_t head =
        tied_embeddings ? weights.embedding.parameters : weights.lm_head.parameters;
    const std::int64_t matrices = weights.qkv.parameters + weights.attn_out.parameters +
                                  weights.ffn_up.parameters + weights.ffn_down.parameters + head;
    return 2.0 * static_cast<double>(matrices);
}

double ModelSpec::attention_flops_per_token(std::int64_t context_tokens) const {
    double kept = 0.0;
    for (int layer = 0; layer < layers; ++layer) {
        kept += static_cast<double>(kept_tokens(layer, context_tokens));
    }
    return 4.0 * heads * head_dim * kept;
}

void derive_weights(ModelSpec& spec, int bytes_per_weight, ModelBiases biases) {
    const std::int64_t layers = spec.layers;
    const std::int64_t hidden = spec.hidden;
    const std::int64_t q_width = std::int64_t{spec.heads} * spec.head_dim;
    const std::int64_t kv_width = std::int64_t{spec.kv_heads} * spec.head_dim;
    const std::int64_t qkv_width = q_width + 2 * kv_width;
    const bool qk_norm =
        spec.architecture == Architecture::qwen3 || spec.architecture == Architecture::gemma3;
    // Gemma 3 normalises before and after each of the two branches, the others only before.
    const std::int64_t norms_per_layer = spec.architecture == Architecture::gemma3 ? 4 : 2;

    const auto part = [&](std::int64_t parameters) {
        return WeightPart{parameters, parameters * bytes_per_weight};
    };
    ModelWeights& w = spec.weights;
    w.qkv = part(layers * (hidden * qkv_width + (biases.qkv ? qkv_width : 0)));
    w.attn_out = part(layers * (q_width * hidden + (biases.attn_out ? hidden : 0)));
    w.ffn_up = part(layers * 2 * (hidden * spec.ffn + (biases.ffn ? spec.ffn : 0)));
    w.ffn_down = part(layers * (hidden * spec.ffn + (biases.ffn ? hidden : 0)));
    w.norms =
        part(layers * (norms_per_layer * hidden + (qk_norm ? 2 * spec.head_dim : 0)) + hidden);
    w.embedding = part(std::int64_t{spec.vocab} * hidden);
    w.lm_head = part(spec.tied_embeddings ? 0 : std::int64_t{spec.vocab} * hidden);
}

}  // namespace memside
