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
