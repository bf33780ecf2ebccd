#include "model/gguf_weights.h"

#include <charconv>
#include <unordered_map>

#include "base/text.h"
#include "model/gguf_types.h"
#include "model/shape_limits.h"

namespace memside {
namespace {

// The tensor table by name, and where each tensor's bytes are counted.
class TensorTable {
  public:
    TensorTable(const GgufHeader& header, const std::string& file) : file_(file) {
        for (const GgufTensor& tensor : header.tensors) by_name_.emplace(tensor.name, &tensor);
    }

    const GgufTensor* find(std::string_view name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : found->second;
    }

    // Counts a tensor in `part` after checking its shape; an absent one is an error if `required`.
    Status take(std::string_view name, std::vector<std::int64_t> dims, WeightPart& part,
                bool required) {
        const auto found = by_name_.find(name);
        if (found == by_name_.end()) {
            if (!required) return {};
            return bad_input(file_, fmt::format("missing tensor '{}'", name));
        }
        const GgufTensor& tensor = *found->second;
        std::vector<std::int64_t> own = tensor.dims;
        while (own.size() > dims.size() && own.back() == 1) own.pop_back();
        if (own != dims) {
            return bad_input(file_,
                             fmt::format("tensor '{}' has shape {}, expected {}", name,
                                         fmt::join(tensor.dims, " x "), fmt::join(dims, " x ")));
        }
        count(tensor, part);
        by_name_.erase(found);
        return {};
    }

    // Counts whatever was not taken. A tensor of a layer that the model does not have is an error.
    Status take_rest(WeightPart& part, int layers) {
        for (const auto& [name, tensor] : by_name_) {
            if (name.find("_exps.") != std::string_view::npos) {
                return bad_input(file_, fmt::format("mixture-of-experts models (tensor {}) are not "
                                                    "supported",
                                                    in_quotes(name)));
            }
            if (layer_of(name) >= layers) {
                return bad_input(file_, fmt::format("tensor {} belongs to no layer of a model "
                                                    "with {}",
                                                    in_quotes(name), layers));
            }
            count(*tensor, part);
        }
        by_name_.clear();
        return {};
    }

  private:
    // 12 for "blk.12.x", -1 for a tensor outside the layers.
    static std::int64_t layer_of(std::string_view name) {
        constexpr std::string_view prefix = "blk.";
        if (!name.starts_with(prefix)) return -1;
        std::int64_t layer = -1;
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), layer);
        return layer;
    }

    static void count(const GgufTensor& tensor, WeightPart& part) {
        part.parameters += tensor.elements;
        part.bytes += tensor.bytes;
    }

    const std::string& file_;
    std::unordered_map<std::string_view, const GgufTensor*> by_name_;
};

Status count_layer(TensorTable& tensors, int layer, ModelSpec& spec) {
    const std::int64_t d = spec.hidden;
    const std::int64_t q = std::int64_t{spec.heads} * spec.head_dim;
    const std::int64_t kv = std::int64_t{spec.kv_heads} * spec.head_dim;
    const std::int64_t ffn = spec.ffn;
    const bool gemma = spec.architecture == Architecture::gemma3;
    const bool qk_norm = gemma || spec.architecture == Architecture::qwen3;
    const bool qkv_bias = spec.architecture == Architecture::qwen2;
    ModelWeights& w = spec.weights;

    const auto take = [&](std::string_view name, std::vector<std::int64_t> dims, WeightPart& part,
                          bool required) {
        return tensors.take(fmt::format("blk.{}.{}", layer, name), std::move(dims), part, required);
    };
    // Newer converters fuse the three projections into one tensor.
    const bool fused = tensors.find(fmt::format("blk.{}.attn_qkv.weight", layer)) != nullptr;
    if (fused) {
        MEMSIDE_CHECK(take("attn_qkv.weight", {d, q + 2 * kv}, w.qkv, true));
        MEMSIDE_CHECK(take("attn_qkv.bias", {q + 2 * kv}, w.qkv, qkv_bias));
    } else {
        MEMSIDE_CHECK(take("attn_q.weight", {d, q}, w.qkv, true));
        MEMSIDE_CHECK(take("attn_k.weight", {d, kv}, w.qkv, true));
        MEMSIDE_CHECK(take("attn_v.weight", {d, kv}, w.qkv, true));
        MEMSIDE_CHECK(take("attn_q.bias", {q}, w.qkv, qkv_bias));
        MEMSIDE_CHECK(take("attn_k.bias", {kv}, w.qkv, qkv_bias));
        MEMSIDE_CHECK(take("attn_v.bias", {kv}, w.qkv, qkv_bias));
    }
    MEMSIDE_CHECK(take("attn_output.weight", {q, d}, w.attn_out, true));
    MEMSIDE_CHECK(take("attn_output.bias", {d}, w.attn_out, false));
    MEMSIDE_CHECK(take("ffn_gate.weight", {d, ffn}, w.ffn_up, true));
    MEMSIDE_CHECK(take("ffn_gate.bias", {ffn}, w.ffn_up, false));
    MEMSIDE_CHECK(take("ffn_up.weight", {d, ffn}, w.ffn_up, true));
    MEMSIDE_CHECK(take("ffn_up.bias", {ffn}, w.ffn_up, false));
    MEMSIDE_CHECK(take("ffn_down.weight", {ffn, d}, w.ffn_down, true));
    MEMSIDE_CHECK(take("ffn_down.bias", {d}, w.ffn_down, false));
    MEMSIDE_CHECK(take("attn_norm.weight", {d}, w.norms, true));
    MEMSIDE_CHECK(take("ffn_norm.weight", {d}, w.norms, true));
    MEMSIDE_CHECK(take("attn_q_norm.weight", {spec.head_dim}, w.norms, qk_norm));
    MEMSIDE_CHECK(take("attn_k_norm.weight", {spec.head_dim}, w.norms, qk_norm));
    MEMSIDE_CHECK(take("post_attention_norm.weight", {d}, w.norms, gemma));
    return take("post_ffw_norm.weight", {d}, w.norms, gemma);
}

// The type that holds most of the bytes.
std::string main_type(const GgufHeader& header) {
    std::map<std::uint32_t, std::int64_t> bytes;
    for (const GgufTensor& tensor : header.tensors) bytes[tensor.type] += tensor.bytes;
    const auto most =
        std::max_element(bytes.begin(), bytes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return std::string(find_ggml_type(most->first)->name);
}

}  // namespace

Status count_gguf_weights(const GgufHeader& header, const std::string& file, ModelSpec& spec) {
    TensorTable tensors(header, file);
    // The vocabulary is that of the embedding, which may be padded beyond the tokenizer's.
    const GgufTensor* embedding = tensors.find("token_embd.weight");
    if (embedding == nullptr) return bad_input(file, "missing tensor 'token_embd.weight'");
    if (embedding->dims.size() != 2 || embedding->dims[1] > max_model_vocab) {
        return bad_input(
            file, fmt::format("tensor 'token_embd.weight' has shape {}; expected {} "
                              "x a vocabulary of up to {}",
                              fmt::join(embedding->dims, " x "), spec.hidden, max_model_vocab));
    }
    spec.vocab = static_cast<int>(embedding->dims[1]);
    spec.tied_embeddings = tensors.find("output.weight") == nullptr;
    ModelWeights& w = spec.weights;
    MEMSIDE_CHECK(tensors.take("token_embd.weight", {spec.hidden, spec.vocab}, w.embedding, true));
    MEMSIDE_CHECK(tensors.take("output.weight", {spec.hidden, spec.vocab}, w.lm_head, false));
    MEMSIDE_CHECK(tensors.take("output_norm.weight", {spec.hidden}, w.norms, true));
    for (int layer = 0; layer < spec.layers; ++layer) {
        MEMSIDE_CHECK(count_layer(tensors, layer, spec));
    }
    spec.weight_type = main_type(header);
    return tensors.take_rest(w.norms, spec.layers);
}

}  // namespace memside
