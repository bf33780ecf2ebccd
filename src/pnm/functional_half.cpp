#include "pnm/functional_half.h"

#include <bit>
#include <cmath>

namespace memside::pnm {
namespace {

constexpr std::uint32_t float_sign = 0x80000000U;
constexpr std::uint32_t float_infinity = 0x7F800000U;
constexpr int dropped_bits = 23 - 10;  // of the fraction
// Between the exponent biases of FP32 and FP16, at the place of FP32's exponent.
constexpr std::uint32_t bias_gap = (127U - 15U) << 23;
constexpr std::uint32_t smallest_normal = 113U << 23;  // 2^-14

}  // namespace

Half to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits & float_sign) >> 16);
    const std::uint32_t magnitude = bits & ~float_sign;
    std::uint32_t half = 0;
    if (magnitude > float_infinity) {
        half = 0x7E00U;
    } else if (magnitude < smallest_normal) {
        // A subnormal counts quanta of 2^-24; adding 0.5, whose last bit weighs that, rounds.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        half = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F);
    } else {
        const std::uint32_t odd = (magnitude >> dropped_bits) & 1U;
        const std::uint32_t rounded = magnitude + ((1U << (dropped_bits - 1)) - 1U) + odd;
        half = std::min((rounded - bias_gap) >> dropped_bits, 0x7BFFU);
    }
    return {static_cast<std::uint16_t>(sign | half)};
}

float to_float(Half value) {
    const std::uint32_t sign = (value.bits & 0x8000U) << 16;
    const std::uint32_t magnitude = value.bits & 0x7FFFU;
    float result = 0.0F;
    if (magnitude >= 0x7C00U) {
        result = std::bit_cast<float>(float_infinity | (magnitude & 0x3FFU) << dropped_bits);
    } else if (magnitude < 0x0400U) {
        result = static_cast<float>(magnitude) * 0x1p-24F;
    } else {
        result = std::bit_cast<float>((magnitude << dropped_bits) + bias_gap);
    }
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(result) | sign);
}

}  // namespace memside::pnm
