#include "pim/bf16.h"

#include <cmath>
#include <limits>
#include <random>

namespace memside::pim {
namespace {

// The nearest of all finite bf16 values and the next power of two, by search; ties to the even one.
double nearest_by_search(double value) {
    const double magnitude = std::abs(value);
    std::uint32_t low = 0;
    std::uint32_t high = 0x7F80;  // stands for 2^128
    const auto value_of = [](std::uint32_t bits) {
        const int exponent = static_cast<int>(bits >> 7);
        const double fraction = static_cast<double>(bits & 0x7FU);
        return exponent == 0 ? std::ldexp(fraction, -133)
                             : std::ldexp(128.0 + fraction, exponent - 134);
    };
    while (high - low > 1) {
        const std::uint32_t middle = (low + high) / 2;
        (value_of(middle) <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - value_of(low);
    const double above = value_of(high) - magnitude;
    const bool up = above < below || (above == below && high % 2 == 0);
    const double rounded = up ? value_of(high) : value_of(low);
    const double limited = rounded >= 0x1p128 ? std::numeric_limits<double>::infinity() : rounded;
    return std::copysign(limited, value);
}

TEST(Bf16, every_value_survives_a_way_through_float) {
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const Bf16 value{static_cast<std::uint16_t>(bits)};
        if (std::isnan(to_float(value))) {
            EXPECT_TRUE(std::isnan(to_float(to_bf16(to_float(value))))) << bits;
        } else {
            EXPECT_EQ(to_bf16(to_float(value)), value) << bits;
        }
    }
}

TEST(Bf16, rounding_gives_the_nearest_value_and_the_even_one_of_two) {
    std::mt19937 random(1);
    for (int i = 0; i < 200'000; ++i) {
        auto bits = static_cast<std::uint32_t>(random());
        if (i % 3 == 0) bits = (bits & 0xFFFF0000U) | 0x8000U;  // a tie
        if (i % 3 == 1) bits &= 0x80FFFFFFU;                    // small, often subnormal
        const float value = std::bit_cast<float>(bits);
        if (!std::isfinite(value)) continue;
        const double expected = nearest_by_search(static_cast<double>(value));
        const float rounded = to_float(to_bf16(value));
        EXPECT_EQ(static_cast<double>(rounded), expected) << bits;
        EXPECT_EQ(std::signbit(rounded), std::signbit(value)) << bits;
    }
}

TEST(Bf16, what_is_beyond_the_largest_value_becomes_infinity) {
    const float largest = to_float({0x7F7F});
    const float tie = std::bit_cast<float>(0x7F7F8000U);
    EXPECT_EQ(to_bf16(std::nextafter(tie, 0.0F)), to_bf16(largest));
    EXPECT_EQ(to_bf16(tie).bits, 0x7F80);
    EXPECT_EQ(to_bf16(-std::numeric_limits<float>::max()).bits, 0xFF80);
    EXPECT_EQ(to_bf16(std::numeric_limits<float>::infinity()).bits, 0x7F80);
}

TEST(Bf16, nan_stays_nan_even_when_its_payload_is_all_in_the_lower_half) {
    for (const std::uint32_t bits : {0x7F800001U, 0xFF80FFFFU, 0x7FC00000U, 0x7FFFFFFFU}) {
        const Bf16 rounded = to_bf16(std::bit_cast<float>(bits));
        EXPECT_TRUE(std::isnan(to_float(rounded))) << bits;
        EXPECT_EQ(rounded.bits >> 15, bits >> 31) << bits;
    }
}

}  // namespace
}  // namespace memside::pim
