#include "model/hf_config.h"

#include <array>

#include "base/text.h"
#include "model/hf_fields.h"
#include "model/json_tree.h"
#include "model/shape_limits.h"

namespace memside {
namespace {

struct ModelType {
    std::string_view name;
    Architecture architecture;
};

constexpr std::array<ModelType, 5> supported_types{{{"llama", Architecture::llama},
                                                    {"qwen2", Architecture::qwen2},
                                                    {"qwen3", Architecture::qwen3},
                                                    {"gemma3", Architecture::gemma3},
                                                    {"gemma3_text", Architecture::gemma3}}};

// What the Hugging Face Gemma3TextConfig assumes for a field that a nested text_config leaves out:
// the published multimodal configurations list only what differs.
// Source: transformers 4.50, models/gemma3/configuration_gemma3.py.
struct GemmaTextDefaults {
    static constexpr std::int64_t vocab = 262208;
    static constexpr std::int64_t hidden = 2304;
    static constexpr std::int64_t ffn = 9216;
    static constexpr std::int64_t layers = 26;
    static constexpr std::int64_t heads = 8;
    static constexpr std::int64_t kv_heads = 4;
    static constexpr std::int64_t head_dim = 256;
    static constexpr std::int64_t window = 131072;
    static constexpr std::int64_t sliding_window = 4096;
};
constexpr std::int64_t gemma_sliding_period = 6;

// Qwen2Config and Qwen3Config, same release.
constexpr std::int64_t qwen_sliding_window = 4096;
constexpr std::int64_t qwen_max_window_layers = 28;
constexpr std::int64_t qwen3_head_dim = 128;

// Whether the value of a key such as num_experts says that the feature is on.
bool is_on(const JsonNode* node) {
    if (node == nullptr) return false;
    if (node->kind == JsonNode::Kind::integer) return node->integer != 0;
    if (node->kind == JsonNode::Kind::boolean) return node->boolean;
    return true;
}

// Features that change what a decode step reads and that nothing here models.
Status refuse_unmodelled(const HfFields& fields) {
    for (const char* key :
         {"num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"}) {
        if (const JsonNode* node = fields.find(key); is_on(node)) {
            return bad_input(fields.where(*node),
                             fmt::format("mixture-of-experts models ({}) are not supported", key));
        }
    }
    if (const JsonNode* node = fields.find("kv_lora_rank"); is_on(node)) {
        return bad_input(fields.where(*node),
                         "multi-head latent attention (kv_lora_rank) is not supported");
    }
    if (const JsonNode* node = fields.find("quantization_config"); is_on(node)) {
        return bad_input(fields.where(*node),
                         "pre-quantised checkpoints (quantization_config) are not supported; use "
                         "the config.json of the original model, or a GGUF file");
    }
    return {};
}

Result<ModelType> find_model_type(const HfFields& fields) {
    MEMSIDE_TRY(const std::string name, fields.text("model_type"));
    std::vector<std::string> names;
    for (const ModelType& type : supported_types) {
        if (type.name == name) return type;
        names.emplace_back(type.name);
    }
    const std::string where = fields.where(*fields.find("model_type"));
    for (const char* part : {"moe", "mixtral", "dbrx", "gpt_oss", "llama4"}) {
        if (name.find(part) != std::string::npos) {
            return bad_input(where, fmt::format("model_type {} is a mixture of experts, which is "
                                                "not supported",
                                                in_quotes(name)));
        }
    }
    for (const char* part : {"deepseek", "kimi"}) {
        if (name.find(part) != std::string::npos) {
            return bad_input(where, fmt::format("model_type {} has multi-head latent attention or "
                                                "a mixture of experts, which are not supported",
                                                in_quotes(name)));
        }
    }
    return bad_input(where, fmt::format("model_type {} is not supported; supported: {}",
                                        in_quotes(name), join(names, ", ")));
}

Result<std::string> find_weight_type(const HfFields& fields) {
    const JsonNode* node = fields.find_anywhere("torch_dtype");
    if (node == nullptr) node = fields.find_anywhere("dtype");
    if (node == nullptr) return fields.missing("torch_dtype");
    if (node->kind == JsonNode::Kind::string) {
        if (node->text == "bfloat16") return std::string("bf16");
        if (node->text == "float16") return std::string("f16");
        if (node->text == "float32") return std::string("f32");
    }
    return bad_input(fields.where(*node),
                     fmt::format("weight type {} is not supported; allowed: bfloat16, float16, "
                                 "float32",
                                 node->text.empty() ? node->kind_name() : in_quotes(node->text)));
}

Result<std::vector<bool>> listed_sliding(const HfFields& fields, const JsonNode& list, int layers) {
    if (list.kind != JsonNode::Kind::list) {
        return bad_input(fields.where(list), fmt::format("layer_types is {}; allowed: a list with "
                                                         "one string per layer",
                                                         list.kind_name()));
    }
    if (list.items.size() != static_cast<std::size_t>(layers)) {
        return bad_input(fields.where(list), fmt::format("layer_types has {} entries for {} layers",
                                                         list.items.size(), layers));
    }
    std::vector<bool> sliding;
    for (const JsonNode& item : list.items) {
        const bool slides = item.text == "sliding_attention";
        if (item.kind != JsonNode::Kind::string || (!slides && item.text != "full_attention")) {
            return bad_input(
                fields.where(item),
                fmt::format("layer type {} is not supported; allowed: full_attention, "
                            "sliding_attention",
                            item.text.empty() ? item.kind_name() : in_quotes(item.text)));
        }
        sliding.push_back(slides);
    }
    return sliding;
}

Result<std::vector<bool>> gemma_sliding(const HfFields& fields, int layers) {
    if (const JsonNode* list = fields.find("layer_types")) {
        return listed_sliding(fields, *list, layers);
    }
    // Later releases write the key with an underscore in front.
    const char* key = fields.find("_sliding_window_pattern") != nullptr ? "_sliding_window_pattern"
                                                                        : "sliding_window_pattern";
    MEMSIDE_TRY(const std::int64_t period,
                fields.integer(key, max_model_layers, gemma_sliding_period));
    return periodic_sliding(layers, period);
}

// The layers from max_window_layers on slide, or the listed ones; none unless switched on.
Result<std::vector<bool>> qwen_sliding(const HfFields& fields, int layers) {
    MEMSIDE_TRY(const bool used, fields.flag("use_sliding_window", false));
    if (!used) return std::vector<bool>{};
    if (const JsonNode* list = fields.find("layer_types")) {
        return listed_sliding(fields, *list, layers);
    }
    std::int64_t first = 0;
    const JsonNode* node = fields.find("max_window_layers");
    // Zero is meant here: every layer slides.
    if (node == nullptr || node->kind != JsonNode::Kind::integer || node->integer != 0) {
        MEMSIDE_TRY(first,
                    fields.integer("max_window_layers", max_model_layers, qwen_max_window_layers));
    }
    std::vector<bool> sliding;
    for (std::int64_t layer = 0; layer < layers; ++layer) sliding.push_back(layer >= first);
    return sliding;
}

Status read_sliding(const HfFields& fields, bool nested, ModelSpec& spec) {
    std::vector<bool> sliding;
    std::optional<std::int64_t> fallback;
    switch (spec.architecture) {
        case Architecture::llama:
            if (const JsonNode* list = fields.find("layer_types")) {
                MEMSIDE_TRY(sliding, listed_sliding(fields, *list, spec.layers));
                if (std::find(sliding.begin(), sliding.end(), true) != sliding.end()) {
                    return bad_input(fields.where(*list),
                                     "sliding layers are not supported for model_type 'llama'");
                }
            }
            return {};
        case Architecture::qwen2:
        case Architecture::qwen3: {
            MEMSIDE_TRY(sliding, qwen_sliding(fields, spec.layers));
            fallback = qwen_sliding_window;
            break;
        }
        case Architecture::gemma3: {
            MEMSIDE_TRY(sliding, gemma_sliding(fields, spec.layers));
            if (nested) fallback = GemmaTextDefaults::sliding_window;
            break;
        }
    }
    if (std::find(sliding.begin(), sliding.end(), true) == sliding.end()) return {};
    MEMSIDE_TRY(const std::int64_t window,
                fields.integer("sliding_window", max_model_window, fallback));
    set_sliding(spec, std::move(sliding), static_cast<int>(window));
    return {};
}

Status read_shape(const HfFields& fields, bool nested, ModelSpec& spec) {
    // Fills an int field; every limit fits one.
    const auto read = [&](int& field, const char* key, std::int64_t high,
                          std::optional<std::int64_t> fallback) -> Status {
        MEMSIDE_TRY(const std::int64_t value, fields.integer(key, high, fallback));
        field = static_cast<int>(value);
        return {};
    };
    const auto nested_default = [nested](std::int64_t value) {
        return nested ? std::optional(value) : std::nullopt;
    };
    using Gemma = GemmaTextDefaults;
    MEMSIDE_CHECK(
        read(spec.layers, "num_hidden_layers", max_model_layers, nested_default(Gemma::layers)));
    MEMSIDE_CHECK(
        read(spec.hidden, "hidden_size", max_model_hidden, nested_default(Gemma::hidden)));
    MEMSIDE_CHECK(
        read(spec.heads, "num_attention_heads", max_model_heads, nested_default(Gemma::heads)));
    // Only the llama configuration says that no key-value heads means as many as query heads.
    const std::optional<std::int64_t> kv_heads_default =
        spec.architecture == Architecture::llama ? std::optional<std::int64_t>(spec.heads)
                                                 : nested_default(Gemma::kv_heads);
    MEMSIDE_CHECK(read(spec.kv_heads, "num_key_value_heads", max_model_heads, kv_heads_default));
    MEMSIDE_CHECK(read(spec.ffn, "intermediate_size", max_model_ffn, nested_default(Gemma::ffn)));
    MEMSIDE_CHECK(read(spec.vocab, "vocab_size", max_model_vocab, nested_default(Gemma::vocab)));
    MEMSIDE_TRY(spec.window_tokens, fields.integer("max_position_embeddings", max_model_window,
                                                   nested_default(Gemma::window)));

    std::int64_t own_head_dim = 0;  // that of the configuration class; 0: hidden / heads
    if (spec.architecture == Architecture::qwen3) own_head_dim = qwen3_head_dim;
    if (spec.architecture == Architecture::gemma3) own_head_dim = Gemma::head_dim;
    MEMSIDE_CHECK(read(spec.head_dim, "head_dim", max_model_head_dim, own_head_dim));
    if (spec.head_dim == 0) {
        MEMSIDE_TRY(spec.head_dim,
                    derived_head_dim(spec, fields.where(*fields.find("hidden_size"))));
    }
    const JsonNode* heads = fields.find("num_attention_heads");
    return check_head_shape(spec, heads == nullptr ? fields.file() : fields.where(*heads));
}

}  // namespace

Result<ModelSpec> parse_hf_config(std::string_view json, const std::string& file,
                                  const std::string& name) {
    MEMSIDE_TRY(const JsonNode root, parse_json_tree(json, file));
    if (root.kind != JsonNode::Kind::object) {
        return bad_input(file, fmt::format("holds {}, not a JSON object", root.kind_name()));
    }
    const HfFields top(root, nullptr, file);
    MEMSIDE_TRY(const ModelType type, find_model_type(top));
    MEMSIDE_CHECK(refuse_unmodelled(top));

    const bool nested = type.name == "gemma3";
    const JsonNode* body = &root;
    if (nested) {
        body = root.find("text_config");
        if (body == nullptr) return top.missing("text_config");
        if (body->kind != JsonNode::Kind::object) {
            return bad_input(top.where(*body), fmt::format("text_config is {}; allowed: an object",
                                                           body->kind_name()));
        }
    }
    const HfFields fields(*body, nested ? &root : nullptr, file);
    if (nested) {
        MEMSIDE_CHECK(refuse_unmodelled(fields));
        if (const JsonNode* inner = body->find("model_type");
            inner != nullptr && inner->text != "gemma3_text") {
            return bad_input(fields.where(*inner),
                             fmt::format("model_type {} of text_config is not supported; allowed: "
                                         "gemma3_text",
                                         in_quotes(inner->text)));
        }
    }

    ModelSpec spec;
    spec.name = name;
    spec.source = file;
    spec.architecture = type.architecture;
    MEMSIDE_CHECK(read_shape(fields, nested, spec));
    MEMSIDE_CHECK(read_sliding(fields, nested, spec));
    MEMSIDE_TRY(spec.tied_embeddings,
                fields.flag("tie_word_embeddings", spec.architecture == Architecture::gemma3));
    MEMSIDE_TRY(spec.weight_type, find_weight_type(fields));

    MEMSIDE_TRY(const bool attention_bias, fields.flag("attention_bias", false));
    MEMSIDE_TRY(const bool mlp_bias, fields.flag("mlp_bias", false));
    ModelBiases biases;
    biases.qkv = attention_bias || spec.architecture == Architecture::qwen2;
    // Qwen2 has no such key: its output projection never has a bias.
    biases.attn_out = attention_bias && spec.architecture != Architecture::qwen2;
    biases.ffn = mlp_bias && spec.architecture == Architecture::llama;
    derive_weights(spec, spec.weight_type == "f32" ? 4 : 2, biases);
    return spec;
}

}  // namespace memside
