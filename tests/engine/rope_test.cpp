#include "engine/rope.h"

#include <cmath>
#include <numbers>

namespace memside::engine {
namespace {

// Angles of a position as the table gives them.
std::vector<double> angles_of(const Rope& rope, std::int64_t position) {
    const auto pairs = static_cast<std::size_t>(rope.pairs());
    std::vector<float> cosines(pairs);
    std::vector<float> sines(pairs);
    rope.angles(position, cosines.data(), sines.data());
    std::vector<double> angles;
    for (std::size_t i = 0; i < pairs; ++i) {
        angles.push_back(
            std::atan2(static_cast<double>(sines[i]), static_cast<double>(cosines[i])));
    }
    return angles;
}

TEST(Rope, pairs_turn_by_powers_of_the_base) {
    const Rope rope({10000.0, {}}, 8, RopePairs::halves, {});
    const auto angles = angles_of(rope, 3);
    EXPECT_NEAR(angles[0], 3.0, 1e-6);
    EXPECT_NEAR(angles[1], 0.3, 1e-6);
    EXPECT_NEAR(angles[2], 0.03, 1e-7);
    EXPECT_NEAR(angles[3], 0.003, 1e-8);
}

TEST(Rope, neighbours_or_halves_turn_together_and_the_rest_stays) {
    const float quarter_cosines[2] = {0.0F, 1.0F};  // the first pair by a quarter turn
    const float quarter_sines[2] = {1.0F, 0.0F};
    float neighbours[6] = {1, 2, 3, 4, 5, 6};
    Rope({10000.0, {}}, 4, RopePairs::neighbours, {})
        .rotate(neighbours, quarter_cosines, quarter_sines);
    EXPECT_THAT(neighbours, testing::ElementsAre(-2, 1, 3, 4, 5, 6));
    float halves[6] = {1, 2, 3, 4, 5, 6};
    Rope({10000.0, {}}, 4, RopePairs::halves, {}).rotate(halves, quarter_cosines, quarter_sines);
    EXPECT_THAT(halves, testing::ElementsAre(-3, 2, 1, 4, 5, 6));
}

TEST(Rope, factors_and_linear_scaling_divide_the_angles) {
    RopeConfig config;
    config.scaling.kind = RopeScaling::Kind::linear;
    config.scaling.factor = 4.0;
    const std::vector<float> factors{1.0F, 8.0F};
    const auto angles = angles_of(Rope(config, 4, RopePairs::halves, factors), 2);
    EXPECT_NEAR(angles[0], 0.5, 1e-7);
    EXPECT_NEAR(angles[1], 2.0 / 100 / 8 / 4, 1e-9);
}

TEST(Rope, yarn_keeps_fast_pairs_stretches_slow_ones_and_grows_the_length) {
    RopeConfig config;
    config.base = 1e6;
    config.scaling.kind = RopeScaling::Kind::yarn;
    config.scaling.factor = 4.0;
    config.scaling.original_context = 32768;
    constexpr int dims = 128;
    const Rope rope(config, dims, RopePairs::halves, {});
    const auto plain = angles_of(Rope({1e6, {}}, dims, RopePairs::halves, {}), 1);
    const auto angles = angles_of(rope, 1);
    // Pair i makes 32768 x 1e6^(-i/64) / 2 pi turns: 32 of them at 23.6, one at 39.7. So the ramp
    // goes from pair 23 to pair 40.
    EXPECT_NEAR(angles[22] / plain[22], 1.0, 1e-5);
    EXPECT_NEAR(angles[45] / plain[45], 0.25, 1e-4);
    const double slow = (30.0 - 23) / (40 - 23);
    EXPECT_NEAR(angles[30] / plain[30], slow / 4 + 1 - slow, 1e-4);
    float cosines[64];
    float sines[64];
    rope.angles(12345, cosines, sines);
    EXPECT_NEAR(std::hypot(cosines[10], sines[10]), 1.0 + 0.1 * std::log(4.0), 1e-6);
}

TEST(Rope, angles_at_a_position_of_a_million_are_still_right) {
    const Rope rope({500000.0, {}}, 4, RopePairs::halves, {});
    const auto angles = angles_of(rope, 1'000'003);
    EXPECT_NEAR(angles[0], std::remainder(1'000'003.0, 2 * std::numbers::pi), 1e-6);
}

}  // namespace
}  // namespace memside::engine
