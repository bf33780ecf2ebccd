#include "conv/conv_problem.h"

#include <rapidcheck/gtest.h>

#include <cmath>

#include "conv/random_conv.h"

namespace memside::conv {
namespace {

using testing::HasSubstr;

RC_GTEST_PROP(ConvProblem, a_dyadic_scale_is_as_near_as_its_bits_allow, ()) {
    const int exponent = *rc::gen::inRange(-30, -2);
    const double scale = std::ldexp(1.0 + *rc::gen::inRange(0, 1 << 20) / 1048576.0, exponent - 1);
    const auto dyadic = dyadic_scale(scale, "");
    RC_ASSERT(dyadic.ok());
    const double value = std::ldexp(dyadic.value().multiplier, -dyadic.value().shift);
    // Half a unit of the last of 31 bits, or of 2^-53.
    RC_ASSERT(std::abs(value - scale) <=
              std::max(scale * std::ldexp(1.0, -30), std::ldexp(1.0, -54)));
    RC_ASSERT(dyadic.value().shift >= min_shift && dyadic.value().shift <= max_shift);
}

TEST(ConvProblem, scales_from_a_quarter_up_are_refused) {
    EXPECT_TRUE(dyadic_scale(std::nextafter(0.25, 0.0), "").ok());
    EXPECT_EQ(dyadic_scale(0.0, "").value().multiplier, 0);
    EXPECT_THAT(dyadic_scale(0.25, "scales").error().message(),
                HasSubstr("scales: the scale is 0.25"));
    EXPECT_FALSE(dyadic_scale(-0.1, "").ok());
    EXPECT_FALSE(dyadic_scale(std::nan(""), "").ok());
}

TEST(ConvProblem, a_zero_point_outside_its_type_is_refused) {
    ConvProblem problem;
    problem.input = ByteType::s8;
    problem.input_zero_point = 128;
    EXPECT_THAT(check(problem, "p").error().message(),
                HasSubstr("the input zero point is 128; allowed for s8: -128 to 127"));
    problem.input_zero_point = 0;
    problem.output_zero_point = -1;
    EXPECT_THAT(check(problem, "p").error().message(), HasSubstr("the output zero point is -1"));
}

TEST(ConvProblem, tables_are_checked_against_channels_and_ranges) {
    ConvProblem problem;
    problem.shape.k = 2;
    Requantisation tables{{0, 0}, {1, 1}, {40, 40}};
    EXPECT_TRUE(check(problem, tables, "t").ok());
    tables.shift[1] = 32;
    EXPECT_THAT(check(problem, tables, "t").error().message(),
                HasSubstr("the shift of channel 1 is 32; allowed: 33 to 53"));
    tables.multiplier = {1};
    EXPECT_THAT(check(problem, tables, "t").error().message(),
                HasSubstr("the multiplier has 1 values for 2 output channels"));
}

TEST(ConvProblem, a_tile_of_channels_is_a_cache_line_or_all_channels) {
    EXPECT_EQ(channel_tile(3), 4);
    EXPECT_EQ(channel_tile(32), 32);
    EXPECT_EQ(channel_tile(64), 64);
    EXPECT_EQ(channel_tile(100), 64);
    EXPECT_EQ(layout_bytes(Layout::tiled, 2, 5, 7, 100), 2 * 2 * 5 * 7 * 64);
}

TEST(ConvProblem, the_tiled_layout_holds_64_channels_of_a_pixel_side_by_side) {
    std::vector<std::uint8_t> plain(std::size_t{2} * 130);
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::uint8_t>(i);
    const auto tiled = to_layout(plain, Layout::tiled, 1, 1, 2, 130);
    EXPECT_EQ(tiled.size(), 3U * 2 * 64);
    EXPECT_EQ(tiled[64 + 5], plain[130 + 5]);      // tile 0, pixel 1, channel 5
    EXPECT_EQ(tiled[2 * 2 * 64 + 1], plain[129]);  // tile 2, pixel 0, channel 129
    EXPECT_EQ(tiled[2 * 2 * 64 + 2], 0);           // beyond the channels
}

RC_GTEST_PROP(ConvProblem, layouts_keep_every_value, ()) {
    const auto size = [] { return *rc::gen::inRange<std::int64_t>(1, 5); };
    const std::int64_t n = size();
    const std::int64_t h = size();
    const std::int64_t w = size();
    const std::int64_t c = *rc::gen::inRange<std::int64_t>(1, 200);
    const auto plain = *rc::gen::container<std::vector<std::uint8_t>>(
        static_cast<std::size_t>(n * h * w * c), rc::gen::arbitrary<std::uint8_t>());
    const Layout layout = *rc::gen::element(Layout::plain, Layout::tiled);
    RC_ASSERT(from_layout(to_layout(plain, layout, n, h, w, c), layout, n, h, w, c) == plain);
}

}  // namespace
}  // namespace memside::conv
