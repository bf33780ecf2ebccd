// bfloat16, the number format of GDDR6-AiM: the upper half of an IEEE 754 binary32.
#pragma once

#include <bit>
#include <cstdint>

namespace memside::pim {

struct Bf16 {
    std::uint16_t bits = 0;
    bool operator==(const Bf16&) const = default;  // of bits: NaN equals itself, -0 is not +0
};

// Relative error of a rounding in the normal range: 8 bits of significand, half of the last.
inline constexpr double bf16_roundoff = 0x1p-8;

// Exact.
inline float to_float(Bf16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

// To nearest, ties to even; subnormals are kept. What rounds beyond the largest finite value
// becomes infinity. NaN stays NaN, with its sign and upper payload, made quiet.
inline Bf16 to_bf16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return {static_cast<std::uint16_t>(bits >> 16 | 0x0040U)};
    }
    // Half of the last kept bit's weight, less one unless that bit is odd.
    const std::uint32_t half = 0x7FFFU + (bits >> 16 & 1U);
    return {static_cast<std::uint16_t>((bits + half) >> 16)};
}

}  // namespace memside::pim
