#include "system/roofline.h"

namespace memside {
namespace {

// 1 TB/s, 10 TFLOP/s, 1 us, 300 W active, 100 W idle.
Roofline simple() {
    return {1e12, 1e13, 1e-6, 300.0, 100.0};
}

TEST(Roofline, a_memory_bound_operation_takes_its_bytes_over_the_bandwidth) {
    const OperationCost cost = simple().cost(1e9, 1e9);  // 1 ms against 0.1 ms
    EXPECT_DOUBLE_EQ(cost.time_s, 1e-3 + 1e-6);
    EXPECT_EQ(cost.bound, Bound::memory);
    EXPECT_DOUBLE_EQ(cost.energy_j, 200.0 * (1e-3 + 1e-6));
}

TEST(Roofline, a_compute_bound_operation_takes_its_flops_over_the_rate) {
    const OperationCost cost = simple().cost(1e6, 1e11);  // 1 us against 10 ms
    EXPECT_DOUBLE_EQ(cost.time_s, 1e-2 + 1e-6);
    EXPECT_EQ(cost.bound, Bound::compute);
}

TEST(Roofline, a_small_operation_is_bound_by_its_latency) {
    const OperationCost cost = simple().cost(1e3, 1e3);
    EXPECT_EQ(cost.bound, Bound::latency);
}

TEST(Roofline, accesses_and_arithmetic_are_charged_on_top_of_the_active_power) {
    Roofline roofline = simple();
    roofline.joules_per_byte = 4e-11;
    roofline.joules_per_flop = 1e-12;
    const OperationCost cost = roofline.cost(1e9, 1e9);
    EXPECT_DOUBLE_EQ(cost.access_j, 0.04);
    EXPECT_DOUBLE_EQ(cost.compute_j, 0.001);
    EXPECT_DOUBLE_EQ(cost.energy_j, 200.0 * cost.time_s + 0.041);
}

TEST(Roofline, a_board_draws_no_more_than_its_limit) {
    Roofline roofline = simple();
    roofline.joules_per_byte = 3e-10;  // 300 W at full bandwidth
    roofline.joules_per_flop = 3e-10;
    roofline.limit_power_w = 450.0;
    const OperationCost cost = roofline.cost(1e9, 1e9);
    EXPECT_DOUBLE_EQ(cost.energy_j, (450.0 - 100.0) * cost.time_s);
    EXPECT_DOUBLE_EQ(cost.access_j, cost.compute_j);
    roofline.active_power_w = roofline.limit_power_w;  // all of it drawn already
    EXPECT_EQ(roofline.cost(1e9, 1e9).access_j, 0.0);
}

TEST(Roofline, attention_reads_k_and_v_once_per_group_and_computes_for_every_head) {
    Attention op;
    op.requests = 3;
    op.query_heads = 64;
    op.kv_heads = 8;
    op.head_dim = 128;
    op.tokens = 1000;
    EXPECT_DOUBLE_EQ(attention_kv_bytes(op), 3.0 * 1000 * 2 * 8 * 128 * 2);
    EXPECT_DOUBLE_EQ(attention_flops(op), 3.0 * 1000 * 4 * 64 * 128);
}

TEST(Roofline, a_digest_holds_two_vectors_per_page_and_kv_head) {
    EXPECT_DOUBLE_EQ(digest_bytes(DigestScan{4096, 64, 8, 128, 16}), 4096.0 * 2 * 8 * 128 * 2);
}

}  // namespace
}  // namespace memside
