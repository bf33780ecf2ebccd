#include "engine/random_model.h"

#include <cmath>

#include "engine/dequantize.h"
#include "engine/random_weights.h"
#include "engine/reference_model.h"

namespace memside::engine::test {
namespace {

// Writes tensors and keeps their values.
class Builder {
  public:
    explicit Builder(RandomModel& model) : model_(model) {}

    void matrix(const std::string& name, std::int64_t columns, std::int64_t rows, float size) {
        // So that outputs are of one size, however many inputs there are.
        if (name != "token_embd.weight") size *= std::sqrt(32.0F / static_cast<float>(columns));
        const WeightType type = count_ % 3 == 2 ? model_.other_type : model_.type;
        add(name, {static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows)}, type,
            random_weights(type, columns * rows, model_.seed * 1000 + count_, size));
    }
    // A norm's weights lie around 1, biases and factors too: all are f32.
    void vector(const std::string& name, std::int64_t count, float base, float spread) {
        std::vector<float> values =
            random_values(static_cast<std::size_t>(count), model_.seed * 1000 + count_, spread);
        for (float& value : values) value += base;
        std::vector<std::uint8_t> bytes(values.size() * 4);
        std::memcpy(bytes.data(), values.data(), bytes.size());
        add(name, {static_cast<std::uint64_t>(count)}, WeightType::f32, bytes);
    }

    GgufWriter writer;

    std::string finish() const {
        std::string file = writer.header();
        const std::size_t start = file.size();
        for (const std::string& data : data_) {
            file.resize(start + (file.size() - start + 31) / 32 * 32);
            file += data;
        }
        return file;
    }

  private:
    void add(const std::string& name, const std::vector<std::uint64_t>& dims, WeightType type,
             const std::vector<std::uint8_t>& bytes) {
        ++count_;
        writer.tensor(name, dims, static_cast<std::uint32_t>(type), bytes.size());
        data_.emplace_back(bytes.begin(), bytes.end());
        std::size_t elements = 1;
        for (const std::uint64_t dim : dims) elements *= dim;
        std::vector<float> values(elements);
        dequantize(type, bytes.data(), static_cast<std::int64_t>(elements), values.data());
        model_.tensors[name].assign(values.begin(), values.end());
        model_.columns[name] = dims.front();
    }

    RandomModel& model_;
    std::uint64_t count_ = 0;
    std::vector<std::string> data_;
};

void add_layer(Builder& out, const RandomModel& model, std::uint32_t layer) {
    const GgufShape& s = model.shape;
    const std::string p = "blk." + std::to_string(layer) + ".";
    const std::int64_t q = std::int64_t{s.heads} * s.head_dim;
    const std::int64_t kv = std::int64_t{s.kv_heads} * s.head_dim;
    out.vector(p + "attn_norm.weight", s.hidden, 1.0F, 0.3F);
    if (s.fused_qkv) {
        out.matrix(p + "attn_qkv.weight", s.hidden, q + 2 * kv, 0.3F);
    } else {
        out.matrix(p + "attn_q.weight", s.hidden, q, 0.3F);
        out.matrix(p + "attn_k.weight", s.hidden, kv, 0.3F);
        out.matrix(p + "attn_v.weight", s.hidden, kv, 0.3F);
    }
    if (s.architecture == "qwen2") {
        out.vector(p + "attn_q.bias", q, 0.0F, 0.5F);
        out.vector(p + "attn_k.bias", kv, 0.0F, 0.5F);
        out.vector(p + "attn_v.bias", kv, 0.0F, 0.5F);
    }
    const bool gemma = s.architecture == "gemma3";
    if (gemma || s.architecture == "qwen3") {
        out.vector(p + "attn_q_norm.weight", s.head_dim, 1.0F, 0.3F);
        out.vector(p + "attn_k_norm.weight", s.head_dim, 1.0F, 0.3F);
    }
    out.matrix(p + "attn_output.weight", q, s.hidden, 0.2F);
    if (gemma) out.vector(p + "post_attention_norm.weight", s.hidden, 1.0F, 0.3F);
    if (gemma) out.vector(p + "post_ffw_norm.weight", s.hidden, 1.0F, 0.3F);
    out.vector(p + "ffn_norm.weight", s.hidden, 1.0F, 0.3F);
    out.matrix(p + "ffn_gate.weight", s.hidden, s.ffn, 0.2F);
    out.matrix(p + "ffn_up.weight", s.hidden, s.ffn, 0.2F);
    out.matrix(p + "ffn_down.weight", s.ffn, s.hidden, 0.2F);
}

}  // namespace

void build(RandomModel& model) {
    Builder out(model);
    const GgufShape& s = model.shape;
    const std::string& a = s.architecture;
    memside::test::write_metadata(out.writer, s);
    out.writer.f32(a + ".attention.layer_norm_rms_epsilon", static_cast<float>(model.norm_epsilon));
    out.writer.f32(a + ".rope.freq_base", static_cast<float>(model.rope_base));
    if (model.linear_factor != 1.0) {
        out.writer.text(a + ".rope.scaling.type", "linear");
        out.writer.f32(a + ".rope.scaling.factor", static_cast<float>(model.linear_factor));
    }
    if (model.sliding_window != 0) {
        out.writer.u32(a + ".attention.sliding_window", model.sliding_window);
        out.writer.f32(a + ".rope.freq_base_swa", static_cast<float>(model.sliding_rope_base));
    }
    if (model.logit_cap != 0.0) {
        out.writer.f32(a + ".final_logit_softcapping", static_cast<float>(model.logit_cap));
    }
    out.matrix("token_embd.weight", s.hidden, s.vocab, 1.0F);
    for (std::uint32_t layer = 0; layer < s.layers; ++layer) add_layer(out, model, layer);
    out.vector("output_norm.weight", s.hidden, 1.0F, 0.3F);
    if (!s.tied) out.matrix("output.weight", s.hidden, s.vocab, 0.3F);
    if (model.rope_factors) out.vector("rope_freqs.weight", s.head_dim / 2, 4.0F, 3.0F);
    model.file = out.finish();
}

std::vector<std::vector<double>> reference_logits(const RandomModel& model,
                                                  const std::vector<int>& tokens) {
    ReferenceModel m;
    const GgufShape& s = model.shape;
    m.architecture = s.architecture;
    m.layers = s.layers;
    m.hidden = s.hidden;
    m.heads = s.heads;
    m.kv_heads = s.kv_heads;
    m.head_dim = s.head_dim;
    m.ffn = s.ffn;
    m.vocab = s.vocab;
    m.tied = s.tied;
    m.fused_qkv = s.fused_qkv;
    m.rope_factors = model.rope_factors;
    m.norm_epsilon = model.norm_epsilon;
    m.attention_scale = 1.0 / std::sqrt(static_cast<double>(s.head_dim));
    m.rope_base = model.rope_base;
    m.sliding_rope_base = model.sliding_rope_base;
    m.linear_factor = model.linear_factor;
    m.sliding_window = model.sliding_window;
    m.logit_cap = model.logit_cap;
    m.f16_cache = true;
    // A vector is one row, so the rows of a tensor are what its width divides it into.
    m.row = [&](const std::string& name, std::size_t row) {
        const std::vector<double>& values = model.tensors.at(name);
        const auto width = static_cast<std::ptrdiff_t>(model.columns.at(name));
        const auto first = values.begin() + width * static_cast<std::ptrdiff_t>(row);
        return std::vector<double>(first, first + width);
    };
    return reference_logits(m, tokens);
}

}  // namespace memside::engine::test
