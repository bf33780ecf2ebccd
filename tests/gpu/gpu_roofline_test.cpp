#include "gpu/gpu_roofline.h"

#include "system/catalog.h"

namespace memside::gpu {
namespace {

TEST(GpuRoofline, streaming_the_weights_of_70b_over_two_a100_is_bound_by_hbm) {
    const auto system = load_system("a100x2", {{"gpu.memory_efficiency", "1"},
                                               {"gpu.kernel_latency", "0 ns"},
                                               {"gpu.compute_efficiency", "1"},
                                               {"gpu.multiprocessors", "1"},
                                               {"gpu.gemm_tile", "1"},
                                               {"gpu.mma_columns", "1"}});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    const auto gpu = make_gpu_roofline(constants);
    Gemm op;
    op.m = 1;
    op.n = 28672;
    op.k = 8192;
    op.weight_bytes = 28672.0 * 8192 * 2;
    const auto cost = gpu->cost(op);
    EXPECT_DOUBLE_EQ(cost->time_s, 28672.0 * 8192 * 2 / 2.039e12);  // 230 us
    EXPECT_EQ(cost->bound, Bound::memory);
}

TEST(GpuRoofline, the_batch_at_which_a_gemm_turns_compute_bound_is_the_machine_balance) {
    const auto system = load_system("a100x1", {{"gpu.memory_efficiency", "1"},
                                               {"gpu.kernel_latency", "0 ns"},
                                               {"gpu.compute_efficiency", "1"},
                                               {"gpu.multiprocessors", "1"},
                                               {"gpu.gemm_tile", "1"},
                                               {"gpu.mma_columns", "1"}});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    const auto gpu = make_gpu_roofline(constants);
    // FP16 weights: batch FLOP per byte; 312 TFLOP/s over 2.039 TB/s = 153.
    const auto bound_at = [&](double batch) {
        return gpu->cost(Gemm{batch, 8192, 8192, 8192.0 * 8192 * 2, 0})->bound;
    };
    EXPECT_EQ(bound_at(153), Bound::memory);
    EXPECT_EQ(bound_at(154), Bound::compute);
}

TEST(GpuRoofline, a_prompt_attends_at_the_rate_of_flash_attention) {
    const auto system = load_system("a100x1", {{"gpu.kernel_latency", "0 ns"},
                                               {"gpu.multiprocessors", "1"},
                                               {"gpu.gemm_tile", "1"},
                                               {"gpu.prefill_efficiency", "50 %"}});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    const auto gpu = make_gpu_roofline(constants);
    const double tokens = 131072;
    const PromptAttention op{tokens, tokens * (tokens + 1) / 2, 32, 8, 128};
    const auto cost = gpu->cost(op);
    EXPECT_DOUBLE_EQ(cost->flops, 4.0 * 32 * 128 * tokens * (tokens + 1) / 2);
    EXPECT_DOUBLE_EQ(cost->time_s, cost->flops / 156e12);  // 0.9 s
    EXPECT_EQ(cost->bound, Bound::compute);
    EXPECT_DOUBLE_EQ(cost->bytes, tokens * 2 * (32 + 8) * 128 * 2);
}

TEST(GpuRoofline, decoding_draws_less_than_the_limit_and_a_large_product_about_as_much) {
    const auto system = load_system("a100x1", {});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    const auto gpu = make_gpu_roofline(constants);
    const auto power = [&](double batch) {
        const auto cost = gpu->cost(Gemm{batch, 8192, 8192, 8192.0 * 8192 * 2, 0});
        return gpu->idle_power_w() + cost->energy_j / cost->time_s;
    };
    EXPECT_EQ(gpu->peak_power_w(), 400.0);
    EXPECT_GT(power(1), 137.0);
    EXPECT_LT(power(1), 220.0);
    EXPECT_GT(power(8192), 360.0);
    EXPECT_LE(power(8192), 400.0 + 1e-9);
}

TEST(GpuRoofline, four_percent_of_80e9_bytes_are_reserved) {
    const auto system = load_system("a100x1", {});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    EXPECT_NEAR(usable_bytes(constants), 76.8e9, 1.0);
}

TEST(GpuRoofline, every_constant_that_was_read_is_remembered_with_its_source) {
    const auto system = load_system("a100x1", {});
    ASSERT_TRUE(system.ok());
    ConstantReader constants(*system);
    make_gpu_roofline(constants);
    std::vector<std::string> paths;
    for (const Constant& constant : constants.used()) {
        paths.push_back(constant.path);
        EXPECT_FALSE(constant.source.empty());
    }
    EXPECT_THAT(paths, testing::Contains("gpu.memory_bandwidth"));
    EXPECT_THAT(paths, testing::Not(testing::Contains("gpu.price")));
}

}  // namespace
}  // namespace memside::gpu
