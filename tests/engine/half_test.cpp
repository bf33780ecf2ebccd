#include "engine/half.h"

#include <rapidcheck/gtest.h>

#include <cmath>

#include "kv/half.h"

namespace memside::engine {
namespace {

TEST(EngineHalf, every_half_has_the_value_that_arithmetic_gives_it) {
    for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const float by_bits = float_from_half(half);
        const float by_arithmetic = kv::half_to_float(half);
        if (std::isnan(by_arithmetic)) {
            ASSERT_TRUE(std::isnan(by_bits)) << bits;
        } else {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(by_bits),
                      std::bit_cast<std::uint32_t>(by_arithmetic))
                << bits;
            ASSERT_EQ(half_from_float(by_bits), half) << bits;
        }
    }
}

RC_GTEST_PROP(EngineHalf, a_float_rounds_as_arithmetic_rounds_it, (std::uint32_t bits)) {
    // Exponents of the range of halves and a little beyond, so that the draws meet every case.
    const std::uint32_t exponent = 95 + bits % 50;
    const float value = std::bit_cast<float>((bits & 0x807FFFFFU) | exponent << 23);
    RC_PRE(std::abs(value) < 65520.0F);
    RC_ASSERT(half_from_float(value) == kv::half_from_float(value, kv::RoundTo::nearest));
}

TEST(EngineHalf, what_is_beyond_the_largest_half_becomes_infinite) {
    EXPECT_EQ(half_from_float(65519.0F), 0x7BFF);
    EXPECT_EQ(half_from_float(65520.0F), 0x7C00);
    EXPECT_EQ(half_from_float(-1e30F), 0xFC00);
    EXPECT_EQ(half_from_float(HUGE_VALF), 0x7C00);
    EXPECT_TRUE(std::isnan(float_from_half(half_from_float(NAN))));
}

RC_GTEST_PROP(Bf16, a_float_rounds_to_the_nearest_and_a_tie_to_the_even_one, (std::uint32_t bits)) {
    const float value = std::bit_cast<float>(bits);
    RC_PRE(std::isfinite(value) && std::abs(value) < 3.3e38F);
    const std::uint16_t got = bf16_from_float(value);
    const auto distance = [&](std::uint16_t to) {
        return std::abs(static_cast<double>(float_from_bf16(to)) - static_cast<double>(value));
    };
    // The one towards zero and the one beyond.
    const auto inner = static_cast<std::uint16_t>(bits >> 16);
    const auto outer = static_cast<std::uint16_t>(inner + 1);
    const std::uint16_t even = inner % 2 == 0 ? inner : outer;
    RC_ASSERT(got == (distance(inner) < distance(outer)   ? inner
                      : distance(outer) < distance(inner) ? outer
                                                          : even));
}

TEST(Bf16, every_bf16_is_itself_and_half_way_goes_to_the_even_one) {
    for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
        const auto bf16 = static_cast<std::uint16_t>(bits);
        const float value = float_from_bf16(bf16);
        if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(float_from_bf16(bf16_from_float(value)))) << bits;
            continue;
        }
        ASSERT_EQ(bf16_from_float(value), bf16);
        if (!std::isfinite(value)) continue;
        const float tie = std::bit_cast<float>(bits << 16 | 0x8000U);
        ASSERT_EQ(bf16_from_float(tie), bits % 2 == 0 ? bits : bits + 1) << bits;
    }
}

RC_GTEST_PROP(Bf16, the_one_above_is_the_smallest_that_is_not_below, (std::uint32_t bits)) {
    const float value = std::bit_cast<float>(bits & 0x7FFFFFFFU);
    RC_PRE(std::isfinite(value) && value < 3.3e38F);
    const std::uint16_t got = bf16_above(value);
    RC_ASSERT(float_from_bf16(got) >= value);
    if (got > 0) RC_ASSERT(float_from_bf16(static_cast<std::uint16_t>(got - 1)) < value);
}

}  // namespace
}  // namespace memside::engine
