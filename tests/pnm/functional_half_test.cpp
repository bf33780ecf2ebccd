#include "pnm/functional_half.h"

#include <rapidcheck/gtest.h>
#include <cmath>
#include <map>

namespace memside::pnm {
namespace {

// The value of every finite half by the definition of the format, in ascending order.
const std::map<double, std::uint16_t>& finite_halves() {
    static const std::map<double, std::uint16_t> halves = [] {
        std::map<double, std::uint16_t> made;
        for (int bits = 0; bits < 0x7C00; ++bits) {
            const int exponent = bits >> 10;
            const int fraction = bits & 0x3FF;
            const double value = exponent == 0 ? std::ldexp(fraction, -24)
                                               : std::ldexp(1024 + fraction, exponent - 25);
            made[value] = static_cast<std::uint16_t>(bits);
            if (bits != 0) made[-value] = static_cast<std::uint16_t>(bits | 0x8000);
        }
        return made;
    }();
    return halves;
}

// The nearest half by search; of two equally near the one with an even fraction.
std::uint16_t nearest(double value) {
    const auto& halves = finite_halves();
    const auto above = halves.lower_bound(value);
    if (above == halves.end()) return 0x7BFF;
    if (above == halves.begin()) return 0xFBFF;
    const auto below = std::prev(above);
    const double up = above->first - value;
    const double down = value - below->first;
    if (up != down) return up < down ? above->second : below->second;
    return (above->second & 1) == 0 ? above->second : below->second;
}

TEST(FunctionalHalf, every_half_has_its_value_and_survives_the_round_trip) {
    for (const auto& [value, bits] : finite_halves()) {
        ASSERT_EQ(static_cast<double>(to_float(Half{bits})), value);
        ASSERT_EQ(to_half(static_cast<float>(value)).bits, bits);
    }
    EXPECT_EQ(to_half(-0.0F).bits, 0x8000);
}

RC_GTEST_PROP(FunctionalHalf, any_float_rounds_to_the_nearest_half, ()) {
    const int exponent = *rc::gen::inRange(-30, 18);
    const double fraction = *rc::gen::inRange(-(1 << 24), 1 << 24);
    const auto value = static_cast<float>(std::ldexp(fraction, exponent - 24));
    const std::uint16_t bits = to_half(value).bits;
    RC_ASSERT((bits == nearest(value) || (value == 0.0F && (bits & 0x7FFF) == 0) ||
               (value < 0.0F && bits == 0x8000 && nearest(value) == 0)));
}

RC_GTEST_PROP(FunctionalHalf, values_between_two_halves_round_to_the_even_one, ()) {
    const auto bits = *rc::gen::inRange<std::uint16_t>(0, 0x7BFF);
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const float middle = (to_float(Half{bits}) + to_float(Half{next})) / 2.0F;
    RC_ASSERT(to_half(middle).bits == ((bits & 1) == 0 ? bits : next));
    const float above = std::nextafter(middle, 1e9F);
    RC_ASSERT(to_half(above).bits == next);
}

TEST(FunctionalHalf, what_is_too_large_saturates_and_nan_stays_nan) {
    EXPECT_EQ(to_float(to_half(1e6F)), half_max);
    EXPECT_EQ(to_float(to_half(-INFINITY)), -half_max);
    EXPECT_EQ(to_float(to_half(65520.0F)), half_max);
    EXPECT_TRUE(std::isnan(to_float(to_half(NAN))));
}

}  // namespace
}  // namespace memside::pnm
