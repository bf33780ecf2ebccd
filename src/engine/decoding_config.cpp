#include "engine/decoding_config.h"

#include <cmath>
#include <cstdlib>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/text.h"
#include "model/json_tree.h"

namespace memside::engine {
namespace {

constexpr std::size_t max_config_bytes = std::size_t{1} << 20;

// Numbers of one object of the file.
class Numbers {
  public:
    Numbers(const JsonNode& object, const std::string& file) : object_(object), file_(file) {}

    // A positive finite number up to `high`, or `absent`.
    Result<double> read(std::string_view key, double absent, double high = 1e12) const {
        const JsonNode* node = object_.find(key);
        if (node == nullptr) return absent;
        const bool number =
            node->kind == JsonNode::Kind::integer || node->kind == JsonNode::Kind::real;
        const double value = number ? std::strtod(node->text.c_str(), nullptr) : 0.0;
        if (!number || !(value > 0.0 && value <= high)) {
            return bad_input(fmt::format("{}:{}", file_, node->line),
                             fmt::format("{} is not a number above 0, up to {}", key, high));
        }
        return value;
    }

  private:
    const JsonNode& object_;
    const std::string& file_;
};

Result<std::optional<StatedRopeScaling>> read_scaling(const JsonNode& body, const ModelSpec& spec,
                                                      const std::string& file) {
    const JsonNode* node = body.find("rope_scaling");
    if (node == nullptr) return std::optional<StatedRopeScaling>();
    const std::string where = fmt::format("{}:{}", file, node->line);
    // Before Llama 3.1 the key was `type`.
    const JsonNode* type = node->find("rope_type");
    if (type == nullptr) type = node->find("type");
    const std::string name = type == nullptr ? "" : type->text;
    StatedRopeScaling scaling;
    if (name == "linear") {
        scaling.kind = StatedRopeScaling::Kind::linear;
    } else if (name == "llama3") {
        scaling.kind = StatedRopeScaling::Kind::llama3;
    } else if (name == "yarn") {
        scaling.kind = StatedRopeScaling::Kind::yarn;
    } else if (name == "default") {
        return std::optional<StatedRopeScaling>();
    } else {
        return bad_input(where, fmt::format("rope_scaling of type {} is not supported; supported: "
                                            "default, linear, llama3, yarn",
                                            in_quotes(name)));
    }
    const Numbers numbers(*node, file);
    MEMSIDE_TRY(scaling.factor, numbers.read("factor", 1.0));
    MEMSIDE_TRY(scaling.low_freq_factor, numbers.read("low_freq_factor", 1.0));
    MEMSIDE_TRY(scaling.high_freq_factor, numbers.read("high_freq_factor", 4.0));
    MEMSIDE_TRY(scaling.original_tokens, numbers.read("original_max_position_embeddings",
                                                      static_cast<double>(spec.window_tokens)));
    if (scaling.high_freq_factor <= scaling.low_freq_factor) {
        return bad_input(where, "high_freq_factor must be above low_freq_factor");
    }
    return std::optional(scaling);
}

}  // namespace

Result<DecodingConfig> load_decoding_config(const ModelSpec& spec) {
    std::string path = spec.source;
    // The source of a preset is relative to the folder of models/ and systems/.
    if (path == fmt::format("models/{}/config.json", spec.name)) {
        MEMSIDE_TRY(const std::string data, data_dir());
        path = fmt::format("{}/{}", data, path);
    }
    MEMSIDE_TRY(const std::string json, read_file(path, max_config_bytes));
    MEMSIDE_TRY(const JsonNode root, parse_json_tree(json, path));
    const JsonNode* nested = root.find("text_config");
    const JsonNode& body = nested == nullptr ? root : *nested;
    const Numbers numbers(body, path);
    const bool gemma = spec.architecture == Architecture::gemma3;

    DecodingConfig config;
    MEMSIDE_TRY(config.norm_epsilon, numbers.read("rms_norm_eps", 1e-6, 1.0));
    MEMSIDE_TRY(config.rope_base, numbers.read("rope_theta", gemma ? 1e6 : 1e4));
    MEMSIDE_TRY(config.sliding_rope_base, numbers.read("rope_local_base_freq", 1e4));
    MEMSIDE_TRY(config.rope_scaling, read_scaling(body, spec, path));
    MEMSIDE_TRY(const double scale, numbers.read("query_pre_attn_scalar", spec.head_dim));
    if (scale != spec.head_dim) {
        return bad_input(path, fmt::format("query_pre_attn_scalar {} differs from head_dim {}, "
                                           "which is not supported",
                                           scale, spec.head_dim));
    }
    if (const JsonNode* node = body.find("rope_parameters")) {
        return bad_input(fmt::format("{}:{}", path, node->line),
                         "rope_parameters is not supported; use rope_theta and rope_scaling");
    }
    return config;
}

}  // namespace memside::engine
