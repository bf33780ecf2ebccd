#include <cmath>

#include "conv/random_conv.h"

#include <rapidcheck/gtest.h>

namespace memside::conv {
namespace {

// A scale of 2^-3, which is large enough to see single products.
Requantisation eighths(std::vector<std::int32_t> bias) {
    const std::size_t k = bias.size();
    return {std::move(bias), std::vector<std::int32_t>(k, 1 << 30),
            std::vector<std::int32_t>(k, 33)};
}

TEST(Reference, a_sum_by_hand) {
    ConvProblem problem;
    problem.shape = parse_shape("1,2,1,2,1,1,2,1,0", "").value();
    // 10 x 3 + 20 x -1 + 30 x 2 + 40 x 1 = 110; with the bias 112; an eighth is 14.
    EXPECT_EQ(convolve_reference(problem, std::vector<std::uint8_t>{10, 20, 30, 40},
                                 std::vector<std::int8_t>{3, -1, 2, 1}, eighths({2})),
              std::vector<std::uint8_t>{14});
}

TEST(Reference, halves_are_rounded_upwards_and_results_are_clipped) {
    ConvProblem problem;
    problem.shape = parse_shape("1,1,1,1,6,1,1,1,0", "").value();
    problem.output = ByteType::s8;
    problem.relu = false;
    // Sums 4, -4, -5, 12, 4000, -4000 over 8.
    const std::vector<std::uint8_t> expected{1, 0, 255, 2, 127, 128};
    EXPECT_EQ(convolve_reference(problem, std::vector<std::uint8_t>{0},
                                 std::vector<std::int8_t>{1, 1, 1, 1, 1, 1},
                                 eighths({4, -4, -5, 12, 4000, -4000})),
              expected);
    problem.relu = true;
    problem.output_zero_point = -3;
    // Up to the zero point at least.
    const std::vector<std::uint8_t> with_relu{254, 253, 253, 255, 127, 253};
    EXPECT_EQ(convolve_reference(problem, std::vector<std::uint8_t>{0},
                                 std::vector<std::int8_t>{1, 1, 1, 1, 1, 1},
                                 eighths({4, -4, -5, 12, 4000, -4000})),
              with_relu);
}

TEST(Reference, outside_the_image_is_the_zero_point) {
    ConvProblem problem;
    problem.shape = parse_shape("1,1,2,2,1,3,3,1,1", "").value();
    problem.input_zero_point = 7;
    // An image of zero points gives the bias everywhere, whatever the weights.
    EXPECT_EQ(
        convolve_reference(problem, std::vector<std::uint8_t>(4, 7),
                           std::vector<std::int8_t>{1, -2, 3, -4, 5, -6, 7, -8, 9}, eighths({80})),
        std::vector<std::uint8_t>(4, 10));
}

// The same by another route: floating point, which is exact here, over a padded image, stride and
// dilation by skipping.
RC_GTEST_PROP(Reference, equals_a_correlation_in_floating_point, ()) {
    const ConvProblem problem = random_problem();
    const ConvShape& s = problem.shape;
    RC_PRE(check(problem, "").ok());
    const ConvOperands operands = random_operands(problem, *rc::gen::arbitrary<std::uint64_t>());
    const std::int64_t rows = s.h + 2 * s.pad;
    const std::int64_t columns = s.w + 2 * s.pad;
    const auto result =
        convolve_reference(problem, operands.input, operands.weights, operands.requantisation);
    // One output position is enough for a case.
    const std::int64_t image = *rc::gen::inRange<std::int64_t>(0, s.n);
    const std::int64_t y = *rc::gen::inRange<std::int64_t>(0, s.out_h());
    const std::int64_t x = *rc::gen::inRange<std::int64_t>(0, s.out_w());
    const std::int64_t k = *rc::gen::inRange<std::int64_t>(0, s.k);
    double sum = operands.requantisation.bias[static_cast<std::size_t>(k)];
    for (std::int64_t c = 0; c < s.c; ++c) {
        std::vector<double> padded(static_cast<std::size_t>(rows * columns));
        for (std::int64_t i = 0; i < s.h * s.w; ++i) {
            const auto byte =
                operands.input[static_cast<std::size_t>((image * s.h * s.w + i) * s.c + c)];
            const double value = problem.input == ByteType::u8
                                     ? double{static_cast<double>(byte)}
                                     : double{static_cast<double>(static_cast<std::int8_t>(byte))};
            padded[static_cast<std::size_t>((i / s.w + s.pad) * columns + i % s.w + s.pad)] =
                value - problem.input_zero_point;
        }
        for (std::int64_t tap = 0; tap < s.r * s.s; ++tap) {
            const std::int64_t row = y * s.stride + tap / s.s * s.dilation;
            const std::int64_t column = x * s.stride + tap % s.s * s.dilation;
            sum += padded[static_cast<std::size_t>(row * columns + column)] *
                   operands.weights[static_cast<std::size_t>((k * s.r * s.s + tap) * s.c + c)];
        }
    }
    const double scale = std::ldexp(operands.requantisation.multiplier[static_cast<std::size_t>(k)],
                                    -operands.requantisation.shift[static_cast<std::size_t>(k)]);
    // In extended precision: 31 bits times 31 bits.
    const auto rounded = static_cast<double>(
        std::floor(static_cast<long double>(sum) * static_cast<long double>(scale) + 0.5L));
    const double clipped = std::clamp<double>(rounded + problem.output_zero_point,
                                              problem.output_low(), problem.output_high());
    const auto at = static_cast<std::size_t>(((image * s.out_h() + y) * s.out_w() + x) * s.k + k);
    RC_ASSERT(result[at] == static_cast<std::uint8_t>(static_cast<int>(clipped)));
}

TEST(Reference, random_operands_use_the_whole_range_of_the_output) {
    ConvProblem problem;
    problem.shape = parse_shape("1,64,8,8,64,3,3,1,1", "").value();
    problem.output = ByteType::s8;
    problem.relu = false;
    const ConvOperands operands = random_operands(problem, 3);
    EXPECT_TRUE(check(problem, operands.requantisation, "").ok());
    const auto result =
        convolve_reference(problem, operands.input, operands.weights, operands.requantisation);
    int low = 127;
    int high = -128;
    for (const std::uint8_t byte : result) {
        low = std::min<int>(low, static_cast<std::int8_t>(byte));
        high = std::max<int>(high, static_cast<std::int8_t>(byte));
    }
    EXPECT_LT(low, -100);
    EXPECT_GT(high, 100);
}

}  // namespace
}  // namespace memside::conv
