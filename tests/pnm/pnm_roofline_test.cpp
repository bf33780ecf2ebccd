#include "pnm/pnm_roofline.h"

#include "system/catalog.h"

namespace memside::pnm {
namespace {

// The device of the paper at its peak rates.
struct PeakDevice {
    PeakDevice() {
        const auto loaded = load_system("a100x1-pnm1", {{"pnm.memory_efficiency", "1"},
                                                        {"pnm.compute_efficiency", "1"},
                                                        {"pnm.kernel_latency", "0 ns"}});
        EXPECT_TRUE(loaded.ok());
        system = *loaded;
        ConstantReader constants(system);
        device = make_pnm_roofline(constants);
    }
    OperationCost attend(double heads, double kv_heads) const {
        return *device->cost(Attention{1, heads, kv_heads, 128, 32768, 16});
    }
    SystemSpec system;
    std::unique_ptr<Device> device;
};

TEST(PnmRoofline, attention_of_8b_is_bound_by_memory_and_of_405b_by_compute) {
    // A group of g heads needs g x 1.1 TFLOP/s at full bandwidth; the device has 8.192.
    const PeakDevice peak;
    EXPECT_EQ(peak.attend(32, 8).bound, Bound::memory);    // g = 4: 4.4
    EXPECT_EQ(peak.attend(128, 8).bound, Bound::compute);  // g = 16: 17.6
}

TEST(PnmRoofline, attention_of_70b_is_about_balanced) {
    const PeakDevice peak;
    const OperationCost cost = peak.attend(64, 8);
    const double memory_s = cost.bytes / 1.092e12;
    const double compute_s = cost.flops / 8.192e12;
    EXPECT_NEAR(compute_s / memory_s, 1.07, 0.01);
}

TEST(PnmRoofline, scanning_the_digests_of_1m_tokens_of_8b_takes_3_9_ms_a_step) {
    // 32,768 pages of 8 KV heads and 128 channels, two FP16 vectors, 32 layers.
    const PeakDevice peak;
    const auto cost = peak.device->cost(DigestScan{32768, 32, 8, 128, 16});
    EXPECT_NEAR(32 * cost->time_s, 3.9e-3, 0.05e-3);
}

TEST(PnmRoofline, sorting_takes_a_merge_pass_per_doubling) {
    const PeakDevice peak;
    const double width = peak.system.at("pnm").value("sort_width");
    EXPECT_DOUBLE_EQ(peak.device->cost(TopK{4096, 1024})->time_s, 4096 * 12 / width / 1e9);
}

TEST(PnmRoofline, it_has_no_matrix_engine) {
    const PeakDevice peak;
    const auto cost = peak.device->cost(Gemm{1, 128, 128, 32768, 0});
    ASSERT_FALSE(cost.ok());
    EXPECT_THAT(cost.error().message(), testing::HasSubstr("no unit for"));
}

}  // namespace
}  // namespace memside::pnm
