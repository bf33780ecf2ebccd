#include "cluster/collective.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

// 100 GB/s, 4 us to start, 2 us per ring step, 0.5 us per tree step.
CollectiveLink link() {
    return {100e9, 4e-6, 2e-6, 0.5e-6, 0.0};
}

TEST(AllReduce, one_rank_has_nothing_to_do) {
    EXPECT_EQ(all_reduce_s(link(), 1, 1e6), 0.0);
}

TEST(AllReduce, two_ranks_exchange_all_bytes_once_each_way) {
    // Ring: 2 steps, 2 x 1/2 x 1 MB = 10 us. Tree: 2 steps of 0.5 us, 2 MB = 20 us.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 2, 1e6), 4e-6 + 2 * 2e-6 + 10e-6);
}

TEST(AllReduce, a_tree_wins_for_small_messages_and_a_ring_for_large_ones) {
    // 8 ranks, 1 KB: tree 2 x 3 x 0.5 us + 2 x 1e3 / 1e11 s; ring 14 x 2 us.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 8, 1e3), 4e-6 + 3e-6 + 2e-8);
    // 8 ranks, 100 MB: ring 28 us + 1.75 ms; tree 2 ms.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 8, 1e8), 4e-6 + 28e-6 + 1.75e-3);
}

TEST(AllReduce, between_nodes_only_a_shard_per_gpu_travels) {
    const CollectiveLink slow{25e9, 5e-6, 3e-6, 3e-6, 0.0};
    const double inside = all_reduce_s(link(), 8, 8e6);
    const double between = all_reduce_s(slow, 2, 1e6);
    EXPECT_DOUBLE_EQ(hierarchical_all_reduce_s(link(), 8, slow, 2, 8e6), inside + between);
    EXPECT_DOUBLE_EQ(hierarchical_all_reduce_s(link(), 8, slow, 1, 8e6), inside);
}

RC_GTEST_PROP(AllReduce, never_beats_the_bandwidth_bound_and_grows_with_the_message, ()) {
    const int ranks = *rc::gen::inRange(2, 65);
    const double bytes = *rc::gen::inRange(1, 1'000'000'000);
    const double time = all_reduce_s(link(), ranks, bytes);
    RC_ASSERT(time > 2.0 * (ranks - 1) / ranks * bytes / 100e9);
    RC_ASSERT(all_reduce_s(link(), ranks, 2.0 * bytes) > time);
}

}  // namespace
}  // namespace memside
