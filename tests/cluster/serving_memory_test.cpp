// Requests in the memories of several devices.
#include "cluster/serving_memory.h"

namespace memside {
namespace {

std::vector<MemoryPool> pools(std::size_t count, std::int64_t capacity, std::int64_t chunk = 1) {
    std::vector<MemoryPool> made(count);
    for (MemoryPool& pool : made) {
        pool.allocator = kv::make_chunked_allocator({capacity, 0, chunk});
        pool.bytes = [](std::int64_t tokens) { return tokens; };
    }
    return made;
}

TEST(SharedMemory, takes_a_request_into_every_pool_or_into_none) {
    std::vector<MemoryPool> both = pools(2, 100);
    both[1].bytes = [](std::int64_t tokens) { return 2 * tokens; };
    kv::KvAllocator& first = *both[0].allocator;
    const auto memory = make_shared_memory(std::move(both));
    EXPECT_TRUE(memory->admit(1, 40));
    EXPECT_FALSE(memory->admit(2, 20));  // the second pool has 20 bytes left
    EXPECT_EQ(first.live_bytes(), 40);
    EXPECT_TRUE(memory->grow(1, 50));
    EXPECT_FALSE(memory->grow(1, 51));
    memory->release(1);
    EXPECT_EQ(first.live_bytes(), 0);
    EXPECT_TRUE(memory->admit(2, 50));
    EXPECT_EQ(memory->load_imbalance(), 1.0);
}

// Graham's example: in the order of arrival 3, 3, 4 end at 7, longest first at 6.
TEST(PlacedMemory, deals_requests_of_one_instant_longest_first) {
    const auto memory = make_placed_memory(pools(2, 100), Placement::lpt);
    EXPECT_TRUE(memory->admit(1, 30));
    EXPECT_TRUE(memory->admit(2, 30));
    EXPECT_TRUE(memory->admit(3, 40));
    EXPECT_NEAR(memory->load_imbalance(), 70.0 / 50, 1e-12);
    memory->settle();
    EXPECT_NEAR(memory->load_imbalance(), 60.0 / 50, 1e-12);
    EXPECT_NE(memory->device_of(3), memory->device_of(1));
    EXPECT_EQ(memory->device_of(1), memory->device_of(2));
    // Later ones go where there is least and move no one.
    EXPECT_TRUE(memory->admit(4, 5));
    memory->settle();
    EXPECT_EQ(memory->device_of(4), memory->device_of(3));
}

// As they come 20 + 20 + 20 and 30 + 30; longest first the last 20 would make 70.
TEST(PlacedMemory, keeps_the_order_of_arrival_where_longest_first_does_not_fit) {
    const auto memory = make_placed_memory(pools(2, 60), Placement::lpt);
    const std::vector<std::int64_t> tokens{20, 30, 20, 30, 20};
    for (std::size_t i = 0; i < tokens.size(); ++i) EXPECT_TRUE(memory->admit(i, tokens[i]));
    memory->settle();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        EXPECT_EQ(memory->device_of(i), tokens[i] == 20 ? 0U : 1U) << i;
    }
    EXPECT_FALSE(memory->admit(9, 1));
}

TEST(PlacedMemory, deals_in_turn_when_asked_to) {
    const auto memory = make_placed_memory(pools(2, 100), Placement::round_robin);
    EXPECT_TRUE(memory->admit(1, 90));
    EXPECT_TRUE(memory->admit(2, 10));
    EXPECT_TRUE(memory->admit(3, 5));
    memory->settle();
    EXPECT_EQ(memory->device_of(1), 0U);
    EXPECT_EQ(memory->device_of(2), 1U);
    EXPECT_EQ(memory->device_of(3), 0U);
    EXPECT_TRUE(memory->admit(4, 50));
    EXPECT_FALSE(memory->admit(5, 50));  // its turn is the device that is full
    memory->release(1);
    EXPECT_TRUE(memory->admit(5, 50));
}

TEST(PlacedMemory, a_request_grows_on_its_own_device) {
    const auto memory = make_placed_memory(pools(2, 100, 10), Placement::lpt);
    EXPECT_TRUE(memory->admit(1, 91));
    EXPECT_TRUE(memory->admit(2, 15));
    EXPECT_TRUE(memory->grow(1, 100));
    EXPECT_FALSE(memory->grow(1, 101));
    EXPECT_TRUE(memory->grow(2, 100));
}

}  // namespace
}  // namespace memside
