// 16-bit floats to f32 and back, by bits. Exact, or rounded to nearest even. The conversions of
// kv/half.h by arithmetic are their reference.
#pragma once

#include <bit>
#include <cstdint>

namespace memside::engine {

// The value of a binary16. A signalling NaN stays a NaN.
inline float float_from_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t magnitude = half & 0x7FFFU;
    if (magnitude >= 0x7C00U) {
        return std::bit_cast<float>(sign | 0x7F800000U | ((magnitude & 0x3FFU) << 13));
    }
    // Exponent and fraction in place, then the exponent's bias mended by one exact product, which
    // also normalises the denormals.
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

// To nearest, ties to even; beyond 65504 to infinity. A NaN stays a NaN.
inline std::uint16_t half_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
    if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (magnitude < 0x38800000U) {  // below 2^-14: a denormal half, in units of 2^-24
        const float units = std::bit_cast<float>(magnitude) + 0.5F;  // the sum rounds at 2^-24
        return static_cast<std::uint16_t>(
            sign + (std::bit_cast<std::uint32_t>(units) - std::bit_cast<std::uint32_t>(0.5F)));
    }
    const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

// A bf16 is the upper half of an f32.
inline float float_from_bf16(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// To nearest, ties to even; beyond the largest bf16 to infinity. A NaN stays a NaN.
inline std::uint16_t bf16_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

// The smallest bf16 that is not below a value >= 0.
inline std::uint16_t bf16_above(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (bits > 0x7F800000U) return bf16_from_float(value);
    return static_cast<std::uint16_t>((bits + 0xFFFFU) >> 16);
}

}  // namespace memside::engine
