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

}  // namespace
}  // namespace memside::engine
