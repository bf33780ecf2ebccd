// The K types: 256 values in sub-blocks of 16 or 32, whose small integer scales share one f16.
#include <cstring>

#include "engine/dequantize.h"
#include "engine/half.h"

namespace memside::engine {
namespace {

float half_at(const std::uint8_t* from) {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return float_from_half(value);
}

// q4_k and q5_k: sub-block s is 32 values, in the low (even s) or high nibbles of 32 bytes. Value =
// d x scale x q - d_min x minimum.
template <typename FifthBit>
void dequantize_sub_blocks(const std::uint8_t* block, const std::uint8_t* nibbles, float* to,
                           FifthBit fifth_bit) {
    const float d = half_at(block);
    const float d_min = half_at(block + 2);
    for (int s = 0; s < 8; ++s) {
        const ScaleAndMinimum packed = unpack_scale(block + 4, s);
        const float scale = d * static_cast<float>(packed.scale);
        const float minimum = d_min * static_cast<float>(packed.minimum);
        for (int i = 0; i < 32; ++i) {
            const int byte = nibbles[s / 2 * 32 + i];
            const int low = s % 2 == 0 ? byte & 15 : byte >> 4;
            to[s * 32 + i] = scale * static_cast<float>(low + 16 * fifth_bit(s, i)) - minimum;
        }
    }
}

}  // namespace

ScaleAndMinimum unpack_scale(const std::uint8_t* packed, int index) {
    if (index < 4) return {packed[index] & 63, packed[index + 4] & 63};
    return {(packed[index + 4] & 15) | (packed[index - 4] >> 6 << 4),
            (packed[index + 4] >> 4) | (packed[index] >> 6 << 4)};
}

void dequantize_q4_k(const std::uint8_t* block, float* to) {
    dequantize_sub_blocks(block, block + 16, to, [](int, int) { return 0; });
}

void dequantize_q5_k(const std::uint8_t* block, float* to) {
    const std::uint8_t* high = block + 16;  // bit s of byte i belongs to value i of sub-block s
    dequantize_sub_blocks(block, block + 48, to,
                          [high](int s, int i) { return (high[i] >> s) & 1; });
}

void dequantize_q6_k(const std::uint8_t* block, float* to) {
    const float d = half_at(block + 208);
    for (int n = 0; n < 2; ++n) {  // halves of 128 values
        const std::uint8_t* low = block + 64 * n;
        const std::uint8_t* high = block + 128 + 32 * n;
        const std::uint8_t* scales = block + 192 + 8 * n;
        for (int quarter = 0; quarter < 4; ++quarter) {
            for (int i = 0; i < 32; ++i) {
                const int byte = low[i + quarter % 2 * 32];
                const int low_bits = quarter < 2 ? byte & 15 : byte >> 4;
                const int q = low_bits | ((high[i] >> (2 * quarter) & 3) << 4);
                const auto scale = static_cast<std::int8_t>(scales[2 * quarter + i / 16]);
                to[128 * n + 32 * quarter + i] =
                    d * static_cast<float>(scale) * static_cast<float>(q - 32);
            }
        }
    }
}

}  // namespace memside::engine
