#include "engine/decoder_config.h"

#include <cmath>

#include "base/text.h"
#include "engine/metadata.h"

namespace memside::engine {
namespace {

// Keys of one architecture with their prefix, "llama." say.
class ArchitectureKeys {
  public:
    ArchitectureKeys(const Metadata& metadata, Architecture architecture)
        : metadata_(metadata), prefix_(fmt::format("{}.", architecture_name(architecture))) {}

    std::string full(std::string_view key) const { return fmt::format("{}{}", prefix_, key); }
    Result<double> number_in(std::string_view key, double fallback, double low, double high) const {
        return metadata_.number_in(full(key), fallback, low, high);
    }
    const Metadata& metadata() const { return metadata_; }

  private:
    const Metadata& metadata_;
    std::string prefix_;
};

constexpr double tiny = 1e-12;
constexpr double huge = 1e12;

Result<RopeScaling> read_scaling(const ArchitectureKeys& keys, const ModelSpec& spec) {
    RopeScaling scaling;
    MEMSIDE_TRY(const auto type, keys.metadata().text(keys.full("rope.scaling.type")));
    // The older name of the factor, which knew linear scaling only.
    MEMSIDE_TRY(const double old_factor, keys.number_in("rope.scale_linear", 1.0, 1.0, 1e6));
    MEMSIDE_TRY(scaling.factor, keys.number_in("rope.scaling.factor", old_factor, 1.0, 1e6));
    const std::string name = type.value_or("linear");
    if (name == "yarn") {
        scaling.kind = RopeScaling::Kind::yarn;
    } else if (name == "linear") {
        if (scaling.factor != 1.0) scaling.kind = RopeScaling::Kind::linear;
    } else if (name == "none") {
        scaling.factor = 1.0;
    } else {
        return keys.metadata().error(
            keys.full("rope.scaling.type"),
            fmt::format("is {}, which is not supported; supported: none, linear, yarn",
                        in_quotes(name)));
    }
    MEMSIDE_TRY(scaling.original_context,
                keys.number_in("rope.scaling.original_context_length",
                               static_cast<double>(spec.window_tokens), 1.0, huge));
    MEMSIDE_TRY(scaling.beta_fast, keys.number_in("rope.scaling.yarn_beta_fast", 32.0, tiny, huge));
    MEMSIDE_TRY(scaling.beta_slow, keys.number_in("rope.scaling.yarn_beta_slow", 1.0, tiny, huge));
    MEMSIDE_TRY(scaling.attention_factor,
                keys.number_in("rope.scaling.attn_factor", 1.0, tiny, 1e6));
    MEMSIDE_TRY(const double extrapolation,
                keys.number_in("rope.scaling.yarn_ext_factor", 1.0, -1.0, 1e6));
    // -1 in a file means the default, 1.
    if (scaling.kind == RopeScaling::Kind::yarn && extrapolation != 1.0 && extrapolation != -1.0) {
        return keys.metadata().error(
            keys.full("rope.scaling.yarn_ext_factor"),
            fmt::format("is {}, which is not supported; supported: 1", extrapolation));
    }
    return scaling;
}

Status read_rope(const ArchitectureKeys& keys, DecoderConfig& config) {
    const ModelSpec& spec = config.spec;
    MEMSIDE_TRY(const double dims,
                keys.number_in("rope.dimension_count", spec.head_dim, 2.0, spec.head_dim));
    config.rope_dims = static_cast<int>(dims);
    if (config.rope_dims != dims || config.rope_dims % 2 != 0) {
        return keys.metadata().error(keys.full("rope.dimension_count"),
                                     fmt::format("is {}; allowed: an even number", dims));
    }
    MEMSIDE_TRY(config.rope.base, keys.number_in("rope.freq_base", 10000.0, 1.0 + tiny, huge));
    MEMSIDE_TRY(config.rope.scaling, read_scaling(keys, spec));
    // Sliding layers see near tokens only, so their positions are not stretched.
    MEMSIDE_TRY(config.sliding_rope.base,
                keys.number_in("rope.freq_base_swa", 10000.0, 1.0 + tiny, huge));
    return {};
}

// Gemma 3's 27B model alone scales by the width that its heads would have if they divided it.
float default_attention_scale(const ModelSpec& spec) {
    const bool gemma_27b = spec.architecture == Architecture::gemma3 && spec.layers == 62 &&
                           spec.heads * spec.head_dim != spec.hidden && spec.head_dim == 128;
    const double width = gemma_27b ? static_cast<double>(spec.hidden) / spec.heads
                                   : static_cast<double>(spec.head_dim);
    return static_cast<float>(1.0 / std::sqrt(width));
}

}  // namespace

Result<DecoderConfig> read_decoder_config(const GgufHeader& header, const std::string& file) {
    DecoderConfig config;
    MEMSIDE_TRY(config.spec, model_from_gguf(header, file));
    const ModelSpec& spec = config.spec;
    const bool gemma = spec.architecture == Architecture::gemma3;
    config.qk_norm = gemma || spec.architecture == Architecture::qwen3;
    config.post_norms = gemma;
    config.gate = gemma ? FfnGate::gelu_tanh : FfnGate::silu;
    config.rope_pairs =
        spec.architecture == Architecture::llama ? RopePairs::neighbours : RopePairs::halves;
    if (gemma) config.embedding_scale = std::sqrt(static_cast<float>(spec.hidden));

    const Metadata metadata(header, file);
    const ArchitectureKeys keys(metadata, spec.architecture);
    const std::string epsilon_key = keys.full("attention.layer_norm_rms_epsilon");
    MEMSIDE_TRY(const auto epsilon, metadata.number(epsilon_key));
    if (!epsilon) return bad_input(file, fmt::format("missing metadata key '{}'", epsilon_key));
    MEMSIDE_TRY(const double norm_epsilon, metadata.number_in(epsilon_key, 0.0, 0.0, 1.0));
    config.norm_epsilon = static_cast<float>(norm_epsilon);
    MEMSIDE_TRY(const double scale,
                keys.number_in("attention.scale",
                               static_cast<double>(default_attention_scale(spec)), tiny, 1e6));
    config.attention_scale = static_cast<float>(scale);
    MEMSIDE_TRY(const double cap, keys.number_in("final_logit_softcapping", 0.0, 0.0, 1e6));
    config.logit_cap = static_cast<float>(cap);
    MEMSIDE_CHECK(read_rope(keys, config));
    return config;
}

}  // namespace memside::engine
