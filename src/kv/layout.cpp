#include "kv/layout.h"

#include "base/number.h"

namespace memside::kv {

const std::vector<std::string>& value_type_names() {
    static const std::vector<std::string> names{"f16", "bf16", "fp8", "int8", "int4"};
    return names;
}

const std::vector<std::string>& digest_kind_names() {
    static const std::vector<std::string> names{"minmax", "centre-max", "centre-mad", "centre-std"};
    return names;
}

const std::vector<std::string>& digest_type_names() {
    static const std::vector<std::string> names{"f16", "int8"};
    return names;
}

int bits(ValueType type) {
    switch (type) {
        case ValueType::f16:
        case ValueType::bf16:
            return 16;
        case ValueType::fp8:
        case ValueType::int8:
            return 8;
        case ValueType::int4:
            return 4;
    }
    return 0;
}

int bits(DigestType type) {
    return type == DigestType::f16 ? 16 : 8;
}

Result<std::int64_t> parse_page_tokens(std::string_view text, const std::string& where) {
    constexpr std::int64_t most = 65'536;
    MEMSIDE_TRY(const std::int64_t tokens, parse_integer(text, 1, most, where));
    if ((tokens & (tokens - 1)) == 0) return tokens;
    return bad_input(where,
                     fmt::format("{} is not a power of two; allowed: 1, 2, 4 to {}", tokens, most));
}

std::int64_t page_count(std::int64_t tokens, std::int64_t page_tokens) {
    return (tokens + page_tokens - 1) / page_tokens;
}

bool selects(const ModelSpec& model, const PageFormat& format, int layer) {
    return layer >= format.dense_layers && !model.slides(layer);
}

RequestBytes request_bytes(const ModelSpec& model, const PageFormat& format,
                           std::int64_t context_tokens) {
    const std::int64_t kv_values_per_page = format.page_tokens * model.kv_values_per_token_layer();
    const std::int64_t digest_values_per_page =
        std::int64_t{digest_vectors} * model.kv_heads * model.head_dim;
    RequestBytes total;
    for (int layer = 0; layer < model.layers; ++layer) {
        const std::int64_t pages =
            page_count(model.kept_tokens(layer, context_tokens), format.page_tokens);
        total.kv_bytes += pages * kv_values_per_page * bits(format.value_type) / 8;
        if (selects(model, format, layer)) {
            total.digest_bytes += pages * digest_values_per_page * bits(format.digest_type) / 8;
        }
    }
    return total;
}

std::int64_t dense_request_bytes(const ModelSpec& model, ValueType type,
                                 std::int64_t context_tokens) {
    std::int64_t values = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        values += model.kept_tokens(layer, context_tokens) * model.kv_values_per_token_layer();
    }
    return values * bits(type) / 8;
}

}  // namespace memside::kv
