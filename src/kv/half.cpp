#include "kv/half.h"

#include <cassert>
#include <cmath>
#include <limits>

namespace memside::kv {
namespace {

constexpr int fraction_bits = 10;
constexpr int smallest_exponent = -14;  // of a normal half
constexpr std::uint16_t sign_bit = 0x8000;
constexpr std::uint16_t infinity_bits = 0x7C00;

// A magnitude and the bits of its half count up together, so a rounded-up fraction may carry into
// the exponent and still be right.
std::uint16_t bits_of_magnitude(double quanta, int exponent) {
    const auto units = static_cast<std::uint16_t>(quanta);  // in units of 2^(exponent - 10)
    const auto exponent_steps = static_cast<std::uint16_t>(exponent - smallest_exponent);
    return static_cast<std::uint16_t>((exponent_steps << fraction_bits) + units);
}

}  // namespace

std::uint16_t half_from_float(float value, RoundTo direction) {
    assert(!std::isnan(value));
    const bool negative = std::signbit(value);
    const double magnitude = std::abs(static_cast<double>(value));

    // Down for a negative value is away from zero, and so on: decide once, for the magnitude.
    const bool away = direction == (negative ? RoundTo::down : RoundTo::up);
    const bool towards = direction == (negative ? RoundTo::up : RoundTo::down);
    std::uint16_t bits = 0;
    if (magnitude > half_max) {
        const bool infinite = away || (towards && std::isinf(value));
        bits = static_cast<std::uint16_t>(infinite ? infinity_bits : infinity_bits - 1);
    } else {
        const int exponent = magnitude > 0.0 ? std::max(std::ilogb(magnitude), smallest_exponent)
                                             : smallest_exponent;
        const double scaled = std::ldexp(magnitude, fraction_bits - exponent);  // exact
        const double quanta = away      ? std::ceil(scaled)
                              : towards ? std::floor(scaled)
                                        : std::nearbyint(scaled);
        bits = bits_of_magnitude(quanta, exponent);
    }
    return negative ? bits | sign_bit : bits;
}

float half_to_float(std::uint16_t bits) {
    const bool negative = (bits & sign_bit) != 0;
    const int exponent_field = (bits & infinity_bits) >> fraction_bits;
    const int fraction = bits & ((1 << fraction_bits) - 1);
    float magnitude = 0.0F;
    if (exponent_field == 31) {
        magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                                  : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent_field == 0) {
        magnitude = std::ldexp(static_cast<float>(fraction), smallest_exponent - fraction_bits);
    } else {
        magnitude = std::ldexp(static_cast<float>(fraction + (1 << fraction_bits)),
                               exponent_field - 1 + smallest_exponent - fraction_bits);
    }
    return negative ? -magnitude : magnitude;
}

}  // namespace memside::kv
