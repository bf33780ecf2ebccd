#include "pnm/functional_sfu.h"

#include <rapidcheck/gtest.h>
#include <cmath>
#include <limits>

namespace memside::pnm {
namespace {

double exp2_error(float x) {
    const double exact = std::exp2(static_cast<double>(x));
    return std::abs(static_cast<double>(sfu_exp2(x)) - exact) / exact;
}

double reciprocal_error(float x) {
    return std::abs(static_cast<double>(sfu_reciprocal(x)) * static_cast<double>(x) - 1.0);
}

TEST(FunctionalSfu, exp2_keeps_its_bound_over_a_dense_sweep_and_uses_most_of_it) {
    double worst = 0;
    for (int i = 0; i <= 1'260'000; ++i) {
        worst = std::max(worst, exp2_error(-static_cast<float>(i) * 1e-4F));
    }
    EXPECT_LE(worst, exp2_relative_error);
    EXPECT_GE(worst, exp2_relative_error / 2);
}

TEST(FunctionalSfu, reciprocal_keeps_its_bound_over_a_dense_sweep_and_uses_most_of_it) {
    double worst = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        worst = std::max(worst, reciprocal_error(1.0F + static_cast<float>(i) * 1e-6F));
    }
    EXPECT_LE(worst, reciprocal_relative_error);
    EXPECT_GE(worst, reciprocal_relative_error / 2);
}

RC_GTEST_PROP(FunctionalSfu, exp2_keeps_its_bound_at_any_scale, ()) {
    const double fraction = *rc::gen::inRange(1, 1 << 24);
    const int exponent = *rc::gen::inRange(-30, 7);
    const auto x = static_cast<float>(-std::ldexp(fraction, exponent - 24));
    if (x < -126.0F) return;
    RC_ASSERT(exp2_error(x) <= exp2_relative_error);
}

RC_GTEST_PROP(FunctionalSfu, reciprocal_keeps_its_bound_at_any_scale, ()) {
    const double fraction = *rc::gen::inRange(1, 1 << 24);
    const int exponent = *rc::gen::inRange(-100, 100);
    RC_ASSERT(reciprocal_error(static_cast<float>(std::ldexp(fraction, exponent))) <=
              reciprocal_relative_error);
}

TEST(FunctionalSfu, exp2_of_zero_is_one_and_what_underflows_is_zero) {
    EXPECT_EQ(sfu_exp2(0.0F), 1.0F);
    EXPECT_EQ(sfu_exp2(-0.0F), 1.0F);
    EXPECT_EQ(sfu_exp2(-1e-30F), 1.0F);
    EXPECT_EQ(sfu_exp2(-std::numeric_limits<float>::infinity()), 0.0F);
    for (const float x : {-126.1F, -127.0F, -1e6F}) {
        EXPECT_EQ(sfu_exp2(x), 0.0F);
        EXPECT_LE(std::exp2(static_cast<double>(x)), exp2_underflow);
    }
}

TEST(FunctionalSfu, powers_of_two_are_exact) {
    for (int exponent = -60; exponent <= 60; ++exponent) {
        EXPECT_EQ(sfu_reciprocal(std::ldexp(1.0F, exponent)), std::ldexp(1.0F, -exponent));
    }
    for (int exponent = -126; exponent <= 0; ++exponent) {
        EXPECT_EQ(sfu_exp2(static_cast<float>(exponent)), std::ldexp(1.0F, exponent));
    }
}

}  // namespace
}  // namespace memside::pnm
