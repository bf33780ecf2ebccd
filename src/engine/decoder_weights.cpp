#include "engine/decoder_weights.h"

#include <unordered_map>

#include "base/text.h"
#include "engine/dequantize.h"
#include "model/gguf_types.h"

namespace memside::engine {
namespace {

// Finds tensors by name in the mapped parts. model_from_gguf() has checked that those which the
// architecture needs are there with their shapes.
class Tensors {
  public:
    Tensors(const GgufHeader& header, const std::vector<MappedFile>& parts, const std::string& file)
        : header_(header), parts_(parts), file_(file) {
        for (const GgufTensor& tensor : header.tensors) by_name_.emplace(tensor.name, &tensor);
    }

    bool has(const std::string& name) const { return by_name_.contains(name); }

    Result<Matrix> matrix(const std::string& name) const {
        const GgufTensor& tensor = *by_name_.at(name);
        const auto part = static_cast<std::size_t>(tensor.part);
        if (!is_weight_type(tensor.type)) {
            return bad_input(
                file_, fmt::format("tensor '{}' has the type {}, which is not "
                                   "supported; supported: {}",
                                   name, find_ggml_type(tensor.type)->name, weight_type_list()));
        }
        // The header was read before the file was mapped; the file may have changed in between.
        const MappedFile& mapped = parts_[part];
        const std::uint64_t start = header_.parts[part].data_start + tensor.offset;
        const auto bytes = static_cast<std::uint64_t>(tensor.bytes);
        if (start > mapped.size() || bytes > mapped.size() - start) {
            return bad_input(header_.parts[part].path, "became shorter while it was read");
        }
        return Matrix{static_cast<WeightType>(tensor.type), tensor.elements / tensor.dims[0],
                      tensor.dims[0], mapped.data() + start};
    }

    // The values of a vector; none when there is no tensor of that name.
    Result<std::vector<float>> vector(const std::string& name) const {
        if (!has(name)) return std::vector<float>();
        MEMSIDE_TRY(const Matrix stored, matrix(name));
        std::vector<float> values(static_cast<std::size_t>(stored.rows * stored.columns));
        dequantize(stored.type, stored.data, stored.rows * stored.columns, values.data());
        return values;
    }

    // NAME.weight with NAME.bias.
    Result<Linear> linear(const std::string& name) const {
        Linear read;
        MEMSIDE_TRY(read.weight, matrix(name + ".weight"));
        MEMSIDE_TRY(read.bias, vector(name + ".bias"));
        return read;
    }

    const std::string& file() const { return file_; }

  private:
    const GgufHeader& header_;
    const std::vector<MappedFile>& parts_;
    const std::string& file_;
    std::unordered_map<std::string_view, const GgufTensor*> by_name_;
};

// Rows [first, first + count) of a fused projection.
Linear slice(const Linear& fused, std::int64_t first, std::int64_t count) {
    Linear part{fused.weight.slice(first, count), {}};
    if (!fused.bias.empty()) {
        part.bias.assign(fused.bias.begin() + first, fused.bias.begin() + first + count);
    }
    return part;
}

Result<LayerWeights> read_layer(const Tensors& tensors, const ModelSpec& spec, int index) {
    const std::string prefix = fmt::format("blk.{}.", index);
    LayerWeights layer;
    if (tensors.has(prefix + "attn_qkv.weight")) {
        MEMSIDE_TRY(const Linear fused, tensors.linear(prefix + "attn_qkv"));
        const std::int64_t q = std::int64_t{spec.heads} * spec.head_dim;
        const std::int64_t kv = std::int64_t{spec.kv_heads} * spec.head_dim;
        layer.query = slice(fused, 0, q);
        layer.key = slice(fused, q, kv);
        layer.value = slice(fused, q + kv, kv);
    } else {
        MEMSIDE_TRY(layer.query, tensors.linear(prefix + "attn_q"));
        MEMSIDE_TRY(layer.key, tensors.linear(prefix + "attn_k"));
        MEMSIDE_TRY(layer.value, tensors.linear(prefix + "attn_v"));
    }
    MEMSIDE_TRY(layer.attention_output, tensors.linear(prefix + "attn_output"));
    MEMSIDE_TRY(layer.gate, tensors.linear(prefix + "ffn_gate"));
    MEMSIDE_TRY(layer.up, tensors.linear(prefix + "ffn_up"));
    MEMSIDE_TRY(layer.down, tensors.linear(prefix + "ffn_down"));
    MEMSIDE_TRY(layer.attention_norm, tensors.vector(prefix + "attn_norm.weight"));
    MEMSIDE_TRY(layer.query_norm, tensors.vector(prefix + "attn_q_norm.weight"));
    MEMSIDE_TRY(layer.key_norm, tensors.vector(prefix + "attn_k_norm.weight"));
    MEMSIDE_TRY(layer.attention_post_norm, tensors.vector(prefix + "post_attention_norm.weight"));
    MEMSIDE_TRY(layer.ffn_norm, tensors.vector(prefix + "ffn_norm.weight"));
    MEMSIDE_TRY(layer.ffn_post_norm, tensors.vector(prefix + "post_ffw_norm.weight"));
    return layer;
}

Result<DecoderWeights> read_weights(const Tensors& tensors, const DecoderConfig& config) {
    DecoderWeights weights;
    MEMSIDE_TRY(weights.embedding, tensors.matrix("token_embd.weight"));
    for (int layer = 0; layer < config.spec.layers; ++layer) {
        MEMSIDE_TRY(LayerWeights read, read_layer(tensors, config.spec, layer));
        weights.layers.push_back(std::move(read));
    }
    MEMSIDE_TRY(weights.output_norm, tensors.vector("output_norm.weight"));
    weights.output = weights.embedding;
    if (!config.spec.tied_embeddings) {
        MEMSIDE_TRY(weights.output, tensors.matrix("output.weight"));
    }
    MEMSIDE_TRY(weights.rope_factors, tensors.vector("rope_freqs.weight"));
    const auto pairs = static_cast<std::size_t>(config.rope_dims / 2);
    if (!weights.rope_factors.empty()) {
        if (weights.rope_factors.size() != pairs) {
            return bad_input(tensors.file(), fmt::format("tensor 'rope_freqs.weight' has {} "
                                                         "values, expected {}",
                                                         weights.rope_factors.size(), pairs));
        }
        for (const float factor : weights.rope_factors) {
            if (!(factor > 0.0F)) {
                return bad_input(tensors.file(),
                                 fmt::format("tensor 'rope_freqs.weight' holds {}; allowed: "
                                             "positive numbers",
                                             factor));
            }
        }
    }
    return weights;
}

}  // namespace

Result<ModelFile> open_model(const std::string& path) {
    ModelFile model;
    MEMSIDE_TRY(model.header, read_gguf_header(path));
    MEMSIDE_TRY(model.config, read_decoder_config(model.header, path));
    for (const GgufPart& part : model.header.parts) {
        MEMSIDE_TRY(MappedFile mapped, MappedFile::open(part.path));
        model.parts.push_back(std::move(mapped));
    }
    const Tensors tensors(model.header, model.parts, path);
    MEMSIDE_TRY(model.weights, read_weights(tensors, model.config));
    return model;
}

}  // namespace memside::engine
