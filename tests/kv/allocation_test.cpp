#include "kv/allocation.h"

#include <rapidcheck/gtest.h>

#include "kv/micro_batch.h"

namespace memside::kv {
namespace {

std::unique_ptr<KvAllocator> made(std::string_view name, const AllocationOptions& options) {
    return make_allocator(name, options, "test").value();
}

// The slow reference: an owner for every byte of the memory, read off the allocator's extents.
constexpr RequestId nobody = ~RequestId{0};

void check_against_owners(const KvAllocator& allocator,
                          const std::map<RequestId, std::int64_t>& live) {
    std::vector<RequestId> owner(static_cast<std::size_t>(allocator.capacity_bytes()), nobody);
    std::int64_t total = 0;
    for (const auto& [request, bytes] : live) {
        std::int64_t offset = 0;
        for (const Extent& extent : allocator.extents(request)) {
            RC_ASSERT(extent.size_bytes > 0);
            for (std::int64_t i = 0; i < extent.size_bytes; ++i, ++offset) {
                const std::int64_t address = extent.offset_bytes + i;
                RC_ASSERT(address >= 0 && address < allocator.capacity_bytes());
                RC_ASSERT(owner[static_cast<std::size_t>(address)] == nobody);
                owner[static_cast<std::size_t>(address)] = request;
                RC_ASSERT(allocator.address(request, offset) == address);
            }
        }
        RC_ASSERT(offset == bytes);
        total += bytes;
    }
    RC_ASSERT(allocator.live_bytes() == total);
    RC_ASSERT(allocator.requests() == static_cast<std::int64_t>(live.size()));
    RC_ASSERT(allocator.reserved_bytes() >= total);
    RC_ASSERT(allocator.reserved_bytes() <= allocator.capacity_bytes());
    RC_ASSERT(allocator.utilization() ==
              static_cast<double>(total) / static_cast<double>(allocator.capacity_bytes()));
}

// What the variant has to reserve for these requests, by its definition.
std::int64_t expected_reserved(std::string_view name, std::int64_t unit,
                               const std::map<RequestId, std::int64_t>& live) {
    std::int64_t units = 0;
    for (const auto& [request, bytes] : live) {
        std::int64_t chunks = 0;
        while (chunks * unit < bytes) ++chunks;
        units += name == "static" ? 1 : chunks;
    }
    return units * unit;
}

RC_GTEST_PROP(Allocation, no_byte_has_two_owners_and_none_is_lost, ()) {
    const auto name = *rc::gen::element<std::string>("static", "chunked");
    const auto unit = *rc::gen::inRange<std::int64_t>(1, 40);
    const auto capacity = *rc::gen::inRange<std::int64_t>(unit, 400);
    auto allocator = made(name, {capacity, unit, unit});
    std::map<RequestId, std::int64_t> live;

    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
        const RequestId request = *rc::gen::inRange<RequestId>(0, 8);
        const auto bytes = *rc::gen::inRange<std::int64_t>(0, 90);
        auto after = live;
        if (!live.contains(request)) {
            after[request] = bytes;
            const bool fits = expected_reserved(name, unit, after) <= capacity &&
                              !(name == "static" && bytes > unit);
            RC_ASSERT(allocator->admit(request, bytes) == fits);
            if (fits) live = after;
        } else if (*rc::gen::inRange(0, 3) == 0) {
            allocator->release(request);
            live.erase(request);
        } else {
            after[request] += bytes;
            const bool fits = expected_reserved(name, unit, after) <= capacity &&
                              !(name == "static" && after[request] > unit);
            RC_ASSERT(allocator->grow(request, after[request]) == fits);
            if (fits) live = after;
        }
        RC_ASSERT(allocator->reserved_bytes() == expected_reserved(name, unit, live));
        check_against_owners(*allocator, live);
    }
    for (const auto& [request, bytes] : live) allocator->release(request);
    RC_ASSERT(allocator->reserved_bytes() == 0);
    RC_ASSERT(allocator->live_bytes() == 0);
}

TEST(Allocation, a_device_of_512_gib_holds_twelve_requests_of_40_gib) {
    // Eight devices then hold the batch of 96 of Kim et al., PACT 2025.
    constexpr std::int64_t gib = std::int64_t{1} << 30;
    auto allocator = made("static", {512 * gib, 40 * gib, 0});
    RequestId admitted = 0;
    while (allocator->admit(admitted, 40 * gib)) ++admitted;
    EXPECT_EQ(admitted, 12U);
    EXPECT_DOUBLE_EQ(allocator->utilization(), 480.0 / 512.0);
}

TEST(Allocation, chunks_of_a_lone_request_are_one_extent) {
    auto allocator = made("chunked", {1000, 0, 10});
    ASSERT_TRUE(allocator->admit(1, 5));
    for (std::int64_t bytes = 6; bytes <= 95; ++bytes) ASSERT_TRUE(allocator->grow(1, bytes));
    EXPECT_THAT(allocator->extents(1), testing::ElementsAre(Extent{0, 95}));
    EXPECT_EQ(allocator->reserved_bytes(), 100);
    // What it leaves is found in order by the next.
    allocator->release(1);
    ASSERT_TRUE(allocator->admit(2, 95));
    EXPECT_THAT(allocator->extents(2), testing::ElementsAre(Extent{0, 95}));
}

TEST(Allocation, chunks_admit_short_requests_that_slots_refuse) {
    const AllocationOptions options{1000, 500, 10};
    auto slots = made("static", options);
    auto chunks = made("chunked", options);
    std::int64_t in_slots = 0;
    std::int64_t in_chunks = 0;
    for (RequestId request = 0; request < 20; ++request) {
        in_slots += slots->admit(request, 95) ? 1 : 0;
        in_chunks += chunks->admit(request, 95) ? 1 : 0;
    }
    EXPECT_EQ(in_slots, 2);
    EXPECT_EQ(in_chunks, 10);
}

TEST(Allocation, units_that_do_not_fit_and_unknown_names_are_refused) {
    EXPECT_EQ(make_allocator("static", {100, 101, 0}, "--set").error().message(),
              "--set: static allocation in units of 101 bytes does not fit a memory of 100 bytes; "
              "allowed: 1 to the capacity");
    EXPECT_FALSE(make_allocator("chunked", {100, 10, 0}, "--set").ok());
    EXPECT_EQ(make_allocator("chunkd", {100, 10, 10}, "--set").error().message(),
              "--set: unknown allocation 'chunkd'; did you mean 'chunked'?");
}

RC_GTEST_PROP(MicroBatches, are_the_fewest_and_most_even_that_fit, ()) {
    const auto pool = *rc::gen::inRange<std::int64_t>(0, 500);
    const auto budget = *rc::gen::inRange<std::int64_t>(1, 60);
    const auto batch = *rc::gen::inRange<std::int64_t>(1, 130);
    const MicroBatches split = micro_batches(pool, budget, batch);
    if (budget > pool) {
        RC_ASSERT(split.count == 0 && split.size == 0);
        return;
    }
    RC_ASSERT(split.size * budget <= pool);
    RC_ASSERT(split.size * split.count >= batch);
    // One fewer would not fit, one smaller would not cover.
    if (split.count > 1) {
        const std::int64_t larger = (batch + split.count - 2) / (split.count - 1);
        RC_ASSERT(larger * budget > pool);
    }
    RC_ASSERT((split.size - 1) * split.count < batch);
}

TEST(MicroBatches, the_baseline_of_the_paper_holds_one_request) {
    // A quarter of 128K tokens of 70B is 10 GiB; two GPUs with the weights have about 13 GB left,
    // 41K tokens: one request at a time.
    const MicroBatches split = micro_batches(41'000 / 32, 32'768 / 32, 96);
    EXPECT_EQ(split.size, 1);
    EXPECT_EQ(split.count, 96);
}

}  // namespace
}  // namespace memside::kv
