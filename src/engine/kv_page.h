// How the keys and values of one page and KV head lie in memory, by type.
//
// Vectors run over tokens for keys and over dimensions for values, so that scores and outputs need
// no sum across lanes. A lane of bf16 holds two neighbours along the axis that is summed over
// (dimensions of keys, tokens of values), a lane of int8 four: one shift takes a neighbour out, and
// dot-product instructions take a lane whole.
//   f16   keys [head_dim][tokens]         values [tokens][value_stride]
//   bf16  keys [head_dim / 2][tokens][2]  values [tokens / 2][value_stride][2]
//   int8  keys [head_dim / 4][tokens][4]  values [tokens / 4][value_stride][4]
// A page is keys, key scales, value scales, values; each part begins at a cache line. Only int8 has
// scales, bf16: of keys [head_dim / 32][tokens], of values [tokens]. A stored value is
// round(x / scale), -127 to 127, with scale = largest |x| / 127 rounded up, so that the error is
// half a scale at most. Keys want a scale per 32 dimensions, values do not: see docs/engine.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/half.h"
#include "kv/layout.h"

namespace memside::engine {

// Dimensions of a key that share a scale.
inline constexpr std::int64_t scaled_dims = 32;

struct KvFormat {
    std::int64_t interleave = 1;  // neighbours that share a lane
    std::int64_t lane_bytes = 2;
    bool scaled = false;
};

// f16, bf16 and int8; the store takes no other types.
constexpr KvFormat kv_format(kv::ValueType type) {
    if (type == kv::ValueType::bf16) return {2, 4, false};
    if (type == kv::ValueType::int8) return {4, 4, true};
    return {};
}

struct KvPage {
    const std::byte* keys = nullptr;
    const std::byte* values = nullptr;
    const std::uint16_t* key_scales = nullptr;    // int8 only
    const std::uint16_t* value_scales = nullptr;  // int8 only
    kv::ValueType type = kv::ValueType::f16;
};

// Where neighbour `i` of lane `lane` lies in a part whose rows of lanes hold `lanes` each.
constexpr std::int64_t kv_offset(const KvFormat& format, std::int64_t lanes, std::int64_t i,
                                 std::int64_t lane) {
    return (i / format.interleave * lanes + lane) * format.lane_bytes +
           i % format.interleave * (format.lane_bytes / format.interleave);
}

// A stored value without its scale.
inline float unscaled_value(kv::ValueType type, const std::byte* at) {
    if (type == kv::ValueType::int8) return static_cast<float>(static_cast<std::int8_t>(*at));
    std::uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    return type == kv::ValueType::bf16 ? float_from_bf16(bits) : float_from_half(bits);
}

// Dimension d of a token's key, as stored: what the kernels compute with.
inline float stored_key(const KvPage& page, std::int64_t page_tokens, std::int64_t token,
                        std::int64_t d) {
    const float value = unscaled_value(
        page.type, page.keys + kv_offset(kv_format(page.type), page_tokens, d, token));
    if (page.key_scales == nullptr) return value;
    return value * float_from_bf16(page.key_scales[d / scaled_dims * page_tokens + token]);
}

// Dimension d of a token's value, likewise.
inline float stored_value(const KvPage& page, std::int64_t value_stride, std::int64_t token,
                          std::int64_t d) {
    const float value = unscaled_value(
        page.type, page.values + kv_offset(kv_format(page.type), value_stride, token, d));
    return page.value_scales == nullptr ? value : value * float_from_bf16(page.value_scales[token]);
}

}  // namespace memside::engine
