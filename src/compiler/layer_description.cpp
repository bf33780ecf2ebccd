#include "compiler/layer_description.h"

#include <cmath>

#include "engine/decoder_config.h"
#include "engine/decoder_weights.h"
#include "engine/decoding_config.h"
#include "engine/random_tensors.h"

namespace memside::compiler {
namespace {

// Parameters beyond a projection's matrix, per layer.
std::int64_t beyond(const WeightPart& part, const ModelSpec& spec, std::int64_t matrix) {
    return part.parameters / spec.layers - matrix;
}

Result<bool> has_bias(const ModelSpec& spec, const WeightPart& part, std::int64_t inputs,
                      std::int64_t outputs, const char* what) {
    const std::int64_t more = beyond(part, spec, inputs * outputs);
    if (more == 0) return false;
    if (more == outputs) return true;
    return bad_input(spec.source,
                     fmt::format("{} has {} parameters beyond its {} x {} matrix, which is no bias",
                                 what, more, outputs, inputs));
}

Status set_biases(const ModelSpec& spec, LayerDescription& result) {
    const std::int64_t heads = std::int64_t{spec.heads} * spec.head_dim;
    const std::int64_t kv = std::int64_t{spec.kv_heads} * spec.head_dim;
    const ModelWeights& weights = spec.weights;
    MEMSIDE_TRY(result.qkv_bias, has_bias(spec, weights.qkv, spec.hidden, heads + 2 * kv, "qkv"));
    MEMSIDE_TRY(result.output_bias,
                has_bias(spec, weights.attn_out, heads, spec.hidden, "the output projection"));
    MEMSIDE_TRY(const bool up,
                has_bias(spec, weights.ffn_up, spec.hidden, 2 * std::int64_t{spec.ffn}, "ffn"));
    MEMSIDE_TRY(const bool down, has_bias(spec, weights.ffn_down, spec.ffn, spec.hidden, "ffn"));
    if (!up && !down) return {};
    return bad_input(spec.source, "biases of the FFN are not supported");
}

Status set_from_gguf(const ModelSpec& spec, LayerDescription& result) {
    MEMSIDE_TRY(const GgufHeader header, read_gguf_header(spec.source));
    MEMSIDE_TRY(const engine::DecoderConfig config,
                engine::read_decoder_config(header, spec.source));
    const engine::RopeConfig& rope = spec.slides(result.layer) ? config.sliding_rope : config.rope;
    if (config.rope_dims != spec.head_dim) {
        return bad_input(spec.source, fmt::format("rotates {} of {} values of a head, which is not "
                                                  "supported",
                                                  config.rope_dims, spec.head_dim));
    }
    if (rope.scaling.kind == engine::RopeScaling::Kind::yarn) {
        return bad_input(spec.source, "YaRN is not supported");
    }
    result.norm_epsilon = static_cast<double>(config.norm_epsilon);
    result.attention_scale = static_cast<double>(config.attention_scale);
    result.rope_base = rope.base;
    if (rope.scaling.kind == engine::RopeScaling::Kind::linear) {
        result.rope_scale = 1 / rope.scaling.factor;
    }
    for (const GgufTensor& tensor : header.tensors) {
        if (tensor.name != "rope_freqs.weight") continue;
        MEMSIDE_TRY(engine::ModelFile model, engine::open_model(spec.source));
        result.rope_divisors = std::move(model.weights.rope_factors);
    }
    return {};
}

Status set_from_config(const ModelSpec& spec, LayerDescription& result) {
    using Kind = engine::StatedRopeScaling::Kind;
    MEMSIDE_TRY(const engine::DecodingConfig config, engine::load_decoding_config(spec));
    result.norm_epsilon = config.norm_epsilon;
    result.attention_scale = 1 / std::sqrt(static_cast<double>(spec.head_dim));
    const bool slides = spec.slides(result.layer);
    result.rope_base = slides ? config.sliding_rope_base : config.rope_base;
    // The stretch is that of layers that see the whole context.
    if (!config.rope_scaling || slides) return {};
    if (config.rope_scaling->kind == Kind::yarn) {
        return bad_input(spec.source, "YaRN is not supported");
    }
    if (config.rope_scaling->kind == Kind::linear) {
        result.rope_scale = 1 / config.rope_scaling->factor;
    }
    if (config.rope_scaling->kind == Kind::llama3) {
        result.rope_divisors =
            engine::llama3_rope_divisors(*config.rope_scaling, config.rope_base, spec.head_dim);
    }
    return {};
}

}  // namespace

LayerDescription any_layer() {
    LayerDescription any;
    any.model = "any";
    any.attention_scale = 1;
    return any;
}

Result<LayerDescription> describe_layer(const ModelSpec& spec, std::int64_t layer) {
    if (layer < 0 || layer >= spec.layers) {
        return bad_input("--layer", fmt::format("{} is not a layer of {}; allowed: 0 to {}", layer,
                                                spec.name, spec.layers - 1));
    }
    LayerDescription result;
    result.model = spec.name;
    result.layers = spec.layers;
    result.layer = static_cast<int>(layer);
    result.hidden = spec.hidden;
    result.heads = spec.heads;
    result.kv_heads = spec.kv_heads;
    result.head_dim = spec.head_dim;
    result.ffn = spec.ffn;
    if (spec.slides(result.layer)) result.window = spec.sliding_window_tokens;
    const bool gemma = spec.architecture == Architecture::gemma3;
    result.qk_norm = gemma || spec.architecture == Architecture::qwen3;
    result.post_norms = gemma;
    result.gelu_gate = gemma;
    result.adjacent_pairs = spec.architecture == Architecture::llama;
    MEMSIDE_CHECK(set_biases(spec, result));
    const bool gguf = spec.source.ends_with(".gguf");
    MEMSIDE_CHECK(gguf ? set_from_gguf(spec, result) : set_from_config(spec, result));
    return result;
}

}  // namespace memside::compiler
