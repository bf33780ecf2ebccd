#include "engine/dequantize.h"

#include <cassert>
#include <cstring>

#include "engine/half.h"

namespace memside::engine {
namespace {

std::uint16_t u16_at(const std::uint8_t* from) {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
}

float half_at(const std::uint8_t* from) {
    return float_from_half(u16_at(from));
}

void dequantize_q8_0(const std::uint8_t* block, float* to) {
    const float scale = half_at(block);
    for (int i = 0; i < 32; ++i) {
        to[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
    }
}

// q4_0, q4_1, q5_0 and q5_1: 16 bytes hold the low four bits of 32 values, the first half of the
// values in the low nibbles; `high_bits`, if any, the fifth bit of value i as bit i.
template <typename Value>
void each_nibble(const std::uint8_t* nibbles, std::uint32_t high_bits, float* to, Value value) {
    for (int i = 0; i < 32; ++i) {
        const int low = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
        const int fifth = static_cast<int>((high_bits >> i) & 1U) << 4;
        to[i] = value(static_cast<float>(low | fifth));
    }
}

std::uint32_t u32_at(const std::uint8_t* from) {
    std::uint32_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
}

void dequantize_block(WeightType type, const std::uint8_t* block, float* to) {
    switch (type) {
        case WeightType::f32:
            std::memcpy(to, block, sizeof *to);
            return;
        case WeightType::f16:
            *to = half_at(block);
            return;
        case WeightType::bf16:
            *to = float_from_bf16(u16_at(block));
            return;
        case WeightType::q8_0:
            dequantize_q8_0(block, to);
            return;
        case WeightType::q4_0: {
            const float d = half_at(block);
            each_nibble(block + 2, 0, to, [d](float q) { return d * (q - 8.0F); });
            return;
        }
        case WeightType::q4_1: {
            const float d = half_at(block);
            const float m = half_at(block + 2);
            each_nibble(block + 4, 0, to, [d, m](float q) { return d * q + m; });
            return;
        }
        case WeightType::q5_0: {
            const float d = half_at(block);
            each_nibble(block + 6, u32_at(block + 2), to, [d](float q) { return d * (q - 16.0F); });
            return;
        }
        case WeightType::q5_1: {
            const float d = half_at(block);
            const float m = half_at(block + 2);
            each_nibble(block + 8, u32_at(block + 4), to, [d, m](float q) { return d * q + m; });
            return;
        }
        case WeightType::q4_k:
            dequantize_q4_k(block, to);
            return;
        case WeightType::q5_k:
            dequantize_q5_k(block, to);
            return;
        case WeightType::q6_k:
            dequantize_q6_k(block, to);
            return;
    }
    assert(false && "not a weight type");
}

}  // namespace

void dequantize(WeightType type, const std::uint8_t* from, std::int64_t count, float* to) {
    const int values = block_values(type);
    const int bytes = block_bytes(type);
    assert(count % values == 0);
    for (std::int64_t done = 0; done < count; done += values, from += bytes) {
        dequantize_block(type, from, to + done);
    }
}

}  // namespace memside::engine
