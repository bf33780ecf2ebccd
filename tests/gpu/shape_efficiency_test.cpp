#include "gpu/shape_efficiency.h"

#include <rapidcheck/gtest.h>

namespace memside::gpu {
namespace {

const Machine a100{108, 128, 8, 256};

TEST(GemmEfficiency, a_whole_number_of_waves_wastes_nothing) {
    EXPECT_DOUBLE_EQ(gemm_efficiency(a100, 128, 108 * 128), 1.0);
    EXPECT_DOUBLE_EQ(gemm_efficiency(a100, 256, 54 * 128), 1.0);
}

TEST(GemmEfficiency, a_batch_of_one_uses_an_eighth_of_an_instruction) {
    EXPECT_DOUBLE_EQ(gemm_efficiency(a100, 1, 108 * 128), 1.0 / 8);
    EXPECT_DOUBLE_EQ(gemm_efficiency(a100, 12, 108 * 128), 12.0 / 16);
}

TEST(GemmEfficiency, a_last_wave_of_one_tile_is_split_along_the_reduction) {
    // 109 tiles would take two waves of 108. In 8 parts they are 872 of 9 x 108 = 972.
    EXPECT_DOUBLE_EQ(gemm_efficiency(a100, 128, 109 * 128), 872.0 / 972);
}

TEST(AttentionEfficiency, one_short_request_leaves_most_of_the_machine_idle) {
    EXPECT_DOUBLE_EQ(attention_efficiency(a100, 1, 8, 256), 8.0 / 108);
    EXPECT_NEAR(attention_efficiency(a100, 1, 8, 131072), 1.0, 0.03);  // 4,096 blocks, 38 waves
}

RC_GTEST_PROP(ShapeEfficiency, is_a_share_and_reaches_one_as_the_shape_grows, ()) {
    const Machine machine{static_cast<double>(*rc::gen::inRange(1, 200)), 128, 8, 256};
    const double m = *rc::gen::inRange(1, 1000);
    const double n = *rc::gen::inRange(1, 100'000);
    const double gemm = gemm_efficiency(machine, m, n);
    RC_ASSERT(gemm > 0.0 && gemm <= 1.0);
    const double attention =
        attention_efficiency(machine, *rc::gen::inRange(1, 200), *rc::gen::inRange(1, 64), m * 100);
    RC_ASSERT(attention > 0.0 && attention <= 1.0);
    RC_ASSERT(gemm_efficiency(machine, 128 * 1000, 128 * 1000) > 0.99);
}

}  // namespace
}  // namespace memside::gpu
