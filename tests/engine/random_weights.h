// Random weights of every type, as the bytes of a file: blocks with random integers and scales that
// give values of about the size asked for.
#pragma once

#include <cstring>
#include <vector>

#include "engine/half.h"
#include "engine/weight_type.h"
#include "kv/counter_random.h"

namespace memside::engine::test {

// Uniform in [-1, 1), a function of seed and index.
inline float random_value(std::uint64_t seed, std::uint64_t index) {
    return static_cast<float>(2.0 * kv::uniform(kv::random_bits(kv::key_of({seed}), index)) - 1.0);
}

inline std::vector<float> random_values(std::size_t count, std::uint64_t seed, float size = 1.0F) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = size * random_value(seed, i);
    return values;
}

inline void put_half(std::uint8_t* to, float value) {
    const std::uint16_t bits = half_from_float(value);
    std::memcpy(to, &bits, sizeof bits);
}

// Sets the scales of a block whose other bytes are random, so that its values are about `size`.
inline void set_scales(WeightType type, std::uint8_t* block, float size) {
    switch (type) {
        case WeightType::q8_0:
            return put_half(block, size / 74);
        case WeightType::q4_0:
            return put_half(block, size / 5);
        case WeightType::q5_0:
            return put_half(block, size / 9);
        case WeightType::q4_1:
            put_half(block, size / 5);
            return put_half(block + 2, -1.4F * size);
        case WeightType::q5_1:
            put_half(block, size / 9);
            return put_half(block + 2, -1.6F * size);
        case WeightType::q4_k:
            put_half(block, size / 150);
            return put_half(block + 2, size / 20);
        case WeightType::q5_k:
            put_half(block, size / 280);
            return put_half(block + 2, size / 20);
        case WeightType::q6_k:
            return put_half(block + 208, size / 1300);
        default:
            return;
    }
}

// `count` values, a multiple of the type's block.
inline std::vector<std::uint8_t> random_weights(WeightType type, std::int64_t count,
                                                std::uint64_t seed, float size = 1.0F) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(row_bytes(type, count)));
    if (!is_quantized(type)) {
        const std::size_t width = type == WeightType::f32 ? 4 : 2;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            const float value = size * random_value(seed, i);
            std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
            if (type == WeightType::f16) bits = half_from_float(value);
            if (type == WeightType::bf16) bits >>= 16;
            std::memcpy(bytes.data() + i * width, &bits, width);
        }
        return bytes;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(kv::random_bits(kv::key_of({seed}), i));
    }
    const auto block = static_cast<std::size_t>(block_bytes(type));
    for (std::size_t at = 0; at < bytes.size(); at += block) {
        const float wobble = 1.0F + 0.5F * random_value(seed + 1, at);
        set_scales(type, bytes.data() + at, size * wobble);
    }
    return bytes;
}

}  // namespace memside::engine::test
