#include <array>
#include <filesystem>

#include "base/text.h"
#include "model/gguf_header.h"
#include "model/gguf_weights.h"
#include "model/shape_limits.h"

namespace memside {
namespace {

constexpr std::array supported_architectures{Architecture::llama, Architecture::qwen2,
                                             Architecture::qwen3, Architecture::gemma3};
constexpr std::int64_t gemma_sliding_period = 6;  // where the file gives none

// Metadata of one architecture, with its prefix: "llama." before every key.
class Metadata {
  public:
    Metadata(const GgufHeader& header, std::string prefix, const std::string& file)
        : header_(header), prefix_(std::move(prefix)), file_(file) {}

    // An integer in [1, high]; a per-layer array of them when all its entries agree. Absent:
    // `fallback`, or an error without one.
    Result<std::int64_t> integer(std::string_view key, std::int64_t high,
                                 std::optional<std::int64_t> fallback = std::nullopt) const {
        const GgufValue* value = find(key);
        if (value == nullptr) {
            if (fallback) return *fallback;
            return error(fmt::format("missing metadata key '{}{}'", prefix_, key));
        }
        MEMSIDE_TRY(const std::int64_t number, common_integer(*value, key));
        if (number < 1 || number > high) {
            return error(fmt::format("{}{} {} is out of range; allowed: 1 to {}", prefix_, key,
                                     number, high));
        }
        return number;
    }

    // Whether a count such as expert_count is there and not zero.
    Result<bool> is_on(std::string_view key) const {
        const GgufValue* value = find(key);
        if (value == nullptr) return false;
        MEMSIDE_TRY(const std::int64_t number, common_integer(*value, key));
        return number != 0;
    }

    const GgufValue* find(std::string_view key) const {
        const auto found = header_.metadata.find(fmt::format("{}{}", prefix_, key));
        return found == header_.metadata.end() ? nullptr : &found->second;
    }

    Error error(std::string what) const { return bad_input(file_, std::move(what)); }

    const std::string& prefix() const { return prefix_; }

  private:
    // Values beyond int64 are held at its bound: every caller's range ends far below.
    static std::int64_t saturated(std::int64_t value) { return value; }
    static std::int64_t saturated(std::uint64_t value) {
        return value > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(value);
    }

    Result<std::int64_t> common_integer(const GgufValue& value, std::string_view key) const {
        if (const auto* i = std::get_if<std::int64_t>(&value.data)) return saturated(*i);
        if (const auto* u = std::get_if<std::uint64_t>(&value.data)) return saturated(*u);
        if (const auto* array = std::get_if<GgufArray>(&value.data)) {
            if (const auto* i = std::get_if<std::vector<std::int64_t>>(array)) {
                return common_entry(*i, key);
            }
            if (const auto* u = std::get_if<std::vector<std::uint64_t>>(array)) {
                return common_entry(*u, key);
            }
        }
        return error(fmt::format("metadata key '{}{}' is not an integer", prefix_, key));
    }

    template <typename T>
    Result<std::int64_t> common_entry(const std::vector<T>& entries, std::string_view key) const {
        if (entries.empty()) return error(fmt::format("'{}{}' is an empty list", prefix_, key));
        for (std::size_t i = 1; i < entries.size(); ++i) {
            if (entries[i] != entries[0]) {
                return error(
                    fmt::format("'{}{}' differs between layers ({} in layer 0, {} in "
                                "layer {}), which is not supported",
                                prefix_, key, entries[0], entries[i], i));
            }
        }
        return saturated(entries[0]);
    }

    const GgufHeader& header_;
    std::string prefix_;
    const std::string& file_;
};

Result<Architecture> find_architecture(const GgufHeader& header, const std::string& file) {
    const auto found = header.metadata.find("general.architecture");
    const auto* name =
        found == header.metadata.end() ? nullptr : std::get_if<std::string>(&found->second.data);
    if (name == nullptr) return bad_input(file, "missing metadata string 'general.architecture'");
    std::vector<std::string> names;
    for (const Architecture architecture : supported_architectures) {
        if (architecture_name(architecture) == *name) return architecture;
        names.emplace_back(architecture_name(architecture));
    }
    const bool experts = name->find("moe") != std::string::npos;
    return bad_input(
        file, fmt::format("architecture {} is not supported{}; supported: {}", in_quotes(*name),
                          experts ? " (mixture of experts)" : "", join(names, ", ")));
}

Status read_shape(const Metadata& metadata, ModelSpec& spec) {
    const auto read = [&](int& field, std::string_view key, std::int64_t high,
                          std::optional<std::int64_t> fallback = std::nullopt) -> Status {
        MEMSIDE_TRY(const std::int64_t value, metadata.integer(key, high, fallback));
        field = static_cast<int>(value);
        return {};
    };
    MEMSIDE_CHECK(read(spec.layers, "block_count", max_model_layers));
    MEMSIDE_CHECK(read(spec.hidden, "embedding_length", max_model_hidden));
    MEMSIDE_CHECK(read(spec.heads, "attention.head_count", max_model_heads));
    MEMSIDE_CHECK(read(spec.kv_heads, "attention.head_count_kv", max_model_heads, spec.heads));
    MEMSIDE_CHECK(read(spec.ffn, "feed_forward_length", max_model_ffn));
    MEMSIDE_TRY(spec.window_tokens, metadata.integer("context_length", max_model_window));

    const std::string where = metadata.error("").where;
    if (metadata.find("attention.key_length") == nullptr) {
        MEMSIDE_TRY(spec.head_dim, derived_head_dim(spec, where));
    } else {
        MEMSIDE_CHECK(read(spec.head_dim, "attention.key_length", max_model_head_dim));
    }
    int value_dim = 0;
    MEMSIDE_CHECK(read(value_dim, "attention.value_length", max_model_head_dim, spec.head_dim));
    if (value_dim != spec.head_dim) {
        return metadata.error(
            fmt::format("keys of {} values and values of {} per head are not "
                        "supported; the two must be equal",
                        spec.head_dim, value_dim));
    }
    return check_head_shape(spec, where);
}

Status read_sliding(const Metadata& metadata, ModelSpec& spec) {
    // Only Gemma 3 slides; the other architectures' files may carry the key without effect.
    if (spec.architecture != Architecture::gemma3) return {};
    MEMSIDE_TRY(const bool slides, metadata.is_on("attention.sliding_window"));
    if (!slides) return {};
    MEMSIDE_TRY(const std::int64_t window,
                metadata.integer("attention.sliding_window", max_model_window));

    constexpr std::string_view pattern_key = "attention.sliding_window_pattern";
    std::vector<bool> sliding;
    const GgufValue* pattern = metadata.find(pattern_key);
    const auto* array = pattern == nullptr ? nullptr : std::get_if<GgufArray>(&pattern->data);
    if (array != nullptr && std::holds_alternative<std::vector<bool>>(*array)) {
        sliding = std::get<std::vector<bool>>(*array);
        if (sliding.size() != static_cast<std::size_t>(spec.layers)) {
            return metadata.error(fmt::format("{}{} has {} entries for {} layers",
                                              metadata.prefix(), pattern_key, sliding.size(),
                                              spec.layers));
        }
    } else {
        MEMSIDE_TRY(const std::int64_t period,
                    metadata.integer(pattern_key, max_model_layers, gemma_sliding_period));
        sliding = periodic_sliding(spec.layers, period);
    }
    set_sliding(spec, std::move(sliding), static_cast<int>(window));
    return {};
}

// "x/llama-00001-of-00005.gguf" -> "llama".
std::string model_name(const std::string& file) {
    std::string name = std::filesystem::path(file).stem().string();
    constexpr std::string_view part = "-00001-of-00005";
    if (name.size() > part.size() && name.find("-00001-of-") == name.size() - part.size()) {
        name.resize(name.size() - part.size());
    }
    return name;
}

}  // namespace

Result<ModelSpec> model_from_gguf(const GgufHeader& header, const std::string& file) {
    ModelSpec spec;
    MEMSIDE_TRY(spec.architecture, find_architecture(header, file));
    const Metadata metadata(header, fmt::format("{}.", architecture_name(spec.architecture)), file);
    MEMSIDE_TRY(const bool experts, metadata.is_on("expert_count"));
    if (experts) {
        return bad_input(file, fmt::format("mixture-of-experts models ({}expert_count) are not "
                                           "supported",
                                           metadata.prefix()));
    }
    MEMSIDE_TRY(const bool latent, metadata.is_on("attention.kv_lora_rank"));
    if (latent) {
        return bad_input(file, fmt::format("multi-head latent attention ({}attention.kv_lora_rank) "
                                           "is not supported",
                                           metadata.prefix()));
    }
    spec.name = model_name(file);
    spec.source = file;
    MEMSIDE_CHECK(read_shape(metadata, spec));
    MEMSIDE_CHECK(read_sliding(metadata, spec));
    MEMSIDE_CHECK(count_gguf_weights(header, file, spec));
    return spec;
}

}  // namespace memside
