#include "cluster/collective.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

// Ring 100 GB/s, 4 us to start, 2 us a step; tree 25 GB/s, 1 us to start, 0.5 us a step.
CollectiveLink link() {
    return {100e9, 25e9, 4e-6, 1e-6, 2e-6, 0.5e-6, 0.0};
}

TEST(AllReduce, one_rank_has_nothing_to_do) {
    EXPECT_EQ(all_reduce_s(link(), 1, 1e6), 0.0);
}

TEST(AllReduce, two_ranks_exchange_all_bytes_once_each_way) {
    // Ring: 2 steps, 2 x 1/2 x 1 MB in 10 us. Tree: 2 steps, 2 MB in 80 us.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 2, 1e6), 4e-6 + 2 * 2e-6 + 10e-6);
}

TEST(AllReduce, a_tree_wins_for_small_messages_and_a_ring_for_large_ones) {
    // 8 ranks, 1 KB: tree 14 x 0.5 us + 2 x 1e3 / 25e9 s; ring 14 x 2 us.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 8, 1e3), 1e-6 + 7e-6 + 8e-8);
    // 8 ranks, 100 MB: ring 28 us + 7/8 x 200 MB; the tree takes 8 ms.
    EXPECT_DOUBLE_EQ(all_reduce_s(link(), 8, 1e8), 4e-6 + 28e-6 + 1.75e-3);
}

TEST(AllReduce, between_nodes_a_shard_of_each_gpu_travels_and_the_start_is_paid_once) {
    // Between: ring 25 GB/s, 5 us to start, 3 us a step; tree 10 GB/s, 4 us a step.
    const CollectiveLink slow{25e9, 10e9, 5e-6, 2e-6, 3e-6, 4e-6, 0.0};
    // Inside: 14 steps of 2 us, 7/8 x 16 MB at 100 GB/s = 140 us. Between two nodes, 1 MB a GPU:
    // ring 2 x 3 us + 1 MB at 25 GB/s = 46 us; tree 2 x 4 us + 2 MB at 10 GB/s = 208 us.
    EXPECT_DOUBLE_EQ(hierarchical_all_reduce_s(link(), 8, slow, 2, 8e6),
                     5e-6 + (28e-6 + 140e-6) + 46e-6);
    EXPECT_DOUBLE_EQ(hierarchical_all_reduce_s(link(), 8, slow, 1, 8e6),
                     all_reduce_s(link(), 8, 8e6));
}

TEST(AllReduce, a_ring_moves_every_byte_over_each_link_but_one_twice) {
    EXPECT_DOUBLE_EQ(all_reduce_link_bytes(1, 1e6), 0.0);
    EXPECT_DOUBLE_EQ(all_reduce_link_bytes(4, 1e6), 6e6);
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
