#include "engine/random_tensors.h"

#include <cmath>
#include <numbers>

namespace memside::engine {
namespace {

class TensorList {
  public:
    explicit TensorList(const RandomModel& model) : model_(model) {}

    void matrix(std::string name, std::int64_t row_length, std::int64_t rows) {
        const bool whole = row_length % model_.format.block_values == 0;
        tensors.push_back({std::move(name),
                           {row_length, rows},
                           whole ? model_.format : weight_format("f16"),
                           0.0F,
                           1.0F / std::sqrt(static_cast<float>(row_length))});
    }
    void norm(std::string name, std::int64_t length) {
        tensors.push_back({std::move(name), {length}, weight_format("f32"), 1.0F, 0.1F});
    }
    void bias(std::string name, std::int64_t length) {
        tensors.push_back({std::move(name), {length}, weight_format("f32"), 0.0F, 0.5F});
    }

    void layer(int number) {
        const ModelSpec& spec = model_.spec;
        const std::int64_t d = spec.hidden;
        const std::int64_t q = std::int64_t{spec.heads} * spec.head_dim;
        const std::int64_t kv = std::int64_t{spec.kv_heads} * spec.head_dim;
        const bool gemma = spec.architecture == Architecture::gemma3;
        const auto name = [number](std::string_view part) {
            return fmt::format("blk.{}.{}", number, part);
        };
        norm(name("attn_norm.weight"), d);
        matrix(name("attn_q.weight"), d, q);
        matrix(name("attn_k.weight"), d, kv);
        matrix(name("attn_v.weight"), d, kv);
        if (spec.architecture == Architecture::qwen2) {
            bias(name("attn_q.bias"), q);
            bias(name("attn_k.bias"), kv);
            bias(name("attn_v.bias"), kv);
        }
        if (gemma || spec.architecture == Architecture::qwen3) {
            norm(name("attn_q_norm.weight"), spec.head_dim);
            norm(name("attn_k_norm.weight"), spec.head_dim);
        }
        matrix(name("attn_output.weight"), q, d);
        if (gemma) norm(name("post_attention_norm.weight"), d);
        norm(name("ffn_norm.weight"), d);
        matrix(name("ffn_gate.weight"), d, spec.ffn);
        matrix(name("ffn_up.weight"), d, spec.ffn);
        matrix(name("ffn_down.weight"), spec.ffn, d);
        if (gemma) norm(name("post_ffw_norm.weight"), d);
    }

    std::vector<RandomTensor> tensors;

  private:
    const RandomModel& model_;
};

}  // namespace

std::int64_t RandomTensor::elements() const {
    std::int64_t product = 1;
    for (const std::int64_t dim : dims) product *= dim;
    return product;
}

std::vector<float> llama3_rope_divisors(const StatedRopeScaling& scaling, double base,
                                        int head_dim) {
    std::vector<float> divisors;
    for (int i = 0; i < head_dim / 2; ++i) {
        const double wavelength = 2.0 * std::numbers::pi * std::pow(base, 2.0 * i / head_dim);
        // Where the wavelength lies between the two bounds, 1 at the short one.
        const double smooth = (scaling.original_tokens / wavelength - scaling.low_freq_factor) /
                              (scaling.high_freq_factor - scaling.low_freq_factor);
        const double kept = std::min(1.0, std::max(0.0, smooth));
        divisors.push_back(static_cast<float>(1.0 / ((1.0 - kept) / scaling.factor + kept)));
    }
    return divisors;
}

std::vector<RandomTensor> random_tensors(const RandomModel& model) {
    const ModelSpec& spec = model.spec;
    TensorList list(model);
    list.matrix("token_embd.weight", spec.hidden, spec.vocab);
    for (int layer = 0; layer < spec.layers; ++layer) list.layer(layer);
    list.norm("output_norm.weight", spec.hidden);
    if (!spec.tied_embeddings) list.matrix("output.weight", spec.hidden, spec.vocab);
    const auto& scaling = model.config.rope_scaling;
    if (scaling && scaling->kind == StatedRopeScaling::Kind::llama3) {
        RandomTensor divisors{"rope_freqs.weight", {spec.head_dim / 2}, weight_format("f32")};
        divisors.values = llama3_rope_divisors(*scaling, model.config.rope_base, spec.head_dim);
        list.tensors.push_back(std::move(divisors));
    }
    return std::move(list.tensors);
}

}  // namespace memside::engine
