#include "model/hf_fields.h"

#include "base/text.h"

namespace memside {
namespace {

// Keys that configurations really contain. They are never taken for a misspelling of another key.
const std::vector<std::string>& known_keys() {
    static const std::vector<std::string> keys{"architectures",
                                               "attention_bias",
                                               "attention_dropout",
                                               "dtype",
                                               "head_dim",
                                               "hidden_act",
                                               "hidden_activation",
                                               "hidden_size",
                                               "intermediate_size",
                                               "layer_types",
                                               "max_position_embeddings",
                                               "max_window_layers",
                                               "mlp_bias",
                                               "model_type",
                                               "num_attention_heads",
                                               "num_hidden_layers",
                                               "num_key_value_heads",
                                               "sliding_window",
                                               "sliding_window_pattern",
                                               "_sliding_window_pattern",
                                               "text_config",
                                               "tie_word_embeddings",
                                               "torch_dtype",
                                               "use_sliding_window",
                                               "vision_config",
                                               "vocab_size"};
    return keys;
}

}  // namespace

const JsonNode* HfFields::find_anywhere(std::string_view key) const {
    if (const JsonNode* node = object_.find(key)) return node;
    return outer_ == nullptr ? nullptr : outer_->find(key);
}

std::string HfFields::where(const JsonNode& node) const {
    return fmt::format("{}:{}", file_, node.line);
}

const JsonField* HfFields::misspelt(std::string_view key) const {
    const std::vector<std::string>& known = known_keys();
    // Real configurations have fewer than a hundred keys; the search is too slow for thousands.
    const std::size_t searched = std::min<std::size_t>(object_.fields.size(), 200);
    for (std::size_t i = 0; i < searched; ++i) {
        const JsonField& field = object_.fields[i];
        if (std::find(known.begin(), known.end(), field.key) != known.end()) continue;
        if (nearest(field.key, known) == key) return &field;
    }
    return nullptr;
}

Error HfFields::missing(std::string_view key) const {
    if (const JsonField* near = misspelt(key)) {
        return bad_input(where(near->value), fmt::format("unknown key {}; did you mean '{}'?",
                                                         in_quotes(near->key), key));
    }
    return bad_input(file_, fmt::format("missing key '{}'", key));
}

Error HfFields::wrong_type(const JsonNode& node, std::string_view key,
                           std::string_view allowed) const {
    const std::string shown = node.text.empty() ? "" : fmt::format(" {}", in_quotes(node.text));
    return bad_input(where(node),
                     fmt::format("{} is {}{}; allowed: {}", key, node.kind_name(), shown, allowed));
}

Result<std::int64_t> HfFields::integer(std::string_view key, std::int64_t high,
                                       std::optional<std::int64_t> fallback) const {
    const JsonNode* node = object_.find(key);
    if (node == nullptr) {
        if (!fallback || misspelt(key) != nullptr) return missing(key);
        return *fallback;
    }
    if (node->kind != JsonNode::Kind::integer) {
        return wrong_type(*node, key, fmt::format("an integer from 1 to {}", high));
    }
    if (node->integer < 1 || node->integer > high) {
        return bad_input(where(*node), fmt::format("{} {} is out of range; allowed: 1 to {}", key,
                                                   in_quotes(node->text), high));
    }
    return node->integer;
}

Result<bool> HfFields::flag(std::string_view key, bool fallback) const {
    const JsonNode* node = find_anywhere(key);
    if (node == nullptr) {
        if (misspelt(key) != nullptr) return missing(key);
        return fallback;
    }
    if (node->kind != JsonNode::Kind::boolean) return wrong_type(*node, key, "true or false");
    return node->boolean;
}

Result<std::string> HfFields::text(std::string_view key) const {
    const JsonNode* node = object_.find(key);
    if (node == nullptr) return missing(key);
    if (node->kind != JsonNode::Kind::string) return wrong_type(*node, key, "a string");
    return node->text;
}

}  // namespace memside
