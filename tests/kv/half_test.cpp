#include "kv/half.h"

#include <rapidcheck/gtest.h>

#include <cmath>

namespace memside::kv {
namespace {

TEST(Half, every_half_survives_the_round_trip_in_every_direction) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float value = half_to_float(static_cast<std::uint16_t>(bits));
        if (std::isnan(value)) continue;
        for (const RoundTo direction : {RoundTo::down, RoundTo::up}) {
            ASSERT_EQ(half_from_float(value, direction), bits);
        }
        if (std::isfinite(value)) {
            ASSERT_EQ(half_from_float(value, RoundTo::nearest), bits);
        }
    }
}

TEST(Half, values_are_those_of_the_standard) {
    EXPECT_EQ(half_to_float(0x3C00), 1.0F);
    EXPECT_EQ(half_to_float(0xC000), -2.0F);
    EXPECT_EQ(half_to_float(0x0001), std::ldexp(1.0F, -24));
    EXPECT_EQ(half_to_float(0x0400), std::ldexp(1.0F, -14));
    EXPECT_EQ(half_to_float(0x7BFF), 65504.0F);
    EXPECT_EQ(half_from_float(65520.0F, RoundTo::down), 0x7BFF);
    EXPECT_EQ(half_from_float(65520.0F, RoundTo::up), 0x7C00);
    EXPECT_EQ(half_from_float(-65520.0F, RoundTo::up), 0xFBFF);
    EXPECT_EQ(half_from_float(-65520.0F, RoundTo::down), 0xFC00);
    EXPECT_EQ(half_from_float(1e30F, RoundTo::nearest), 0x7BFF);
    // 1 + 2^-11 lies half-way between 1 and the next half: the even fraction wins.
    EXPECT_EQ(half_from_float(1.0F + std::ldexp(1.0F, -11), RoundTo::nearest), 0x3C00);
    EXPECT_EQ(half_from_float(1.0F + 3 * std::ldexp(1.0F, -11), RoundTo::nearest), 0x3C02);
}

RC_GTEST_PROP(Half, directions_enclose_the_value_and_are_neighbours, ()) {
    // Any f32 of magnitude 2^-30 to 2^17: subnormal halves, normal ones, and beyond the range.
    const int exponent = *rc::gen::inRange(-30, 17);
    const int fraction = *rc::gen::inRange(0, 1 << 23);
    const float sign = *rc::gen::element(-1.0F, 1.0F);
    const float value =
        sign * std::ldexp(1.0F + std::ldexp(static_cast<float>(fraction), -23), exponent);

    const float down = half_to_float(half_from_float(value, RoundTo::down));
    const float up = half_to_float(half_from_float(value, RoundTo::up));
    RC_ASSERT(down <= value);
    RC_ASSERT(value <= up);
    if (down == up) {
        RC_ASSERT(down == value);
    } else {
        // No half lies between them: one step up from `down` is `up`.
        const std::uint16_t bits = half_from_float(value, RoundTo::down);
        const auto next = static_cast<std::uint16_t>((bits & 0x8000) != 0 ? bits - 1 : bits + 1);
        RC_ASSERT(half_to_float(next) == up);
    }
    const float nearest = half_to_float(half_from_float(value, RoundTo::nearest));
    RC_ASSERT(nearest == down || nearest == up);
    if (std::isfinite(down) && std::isfinite(up)) {
        RC_ASSERT(std::abs(nearest - value) <= std::min(value - down, up - value));
    }
}

}  // namespace
}  // namespace memside::kv
