#include "kv/capacity_use.h"

#include "kv/counter_random.h"
#include "model/length_distribution.h"

namespace memside::kv {
namespace {

CapacityUse used(std::string_view allocator, const AllocationOptions& options,
                 const CapacityRun& run) {
    return capacity_use(*make_allocator(allocator, options, "test").value(), run, "test").value();
}

TEST(CapacityUse, requests_of_one_length_fill_a_static_memory_by_their_share_of_the_window) {
    // 10 places of 1,000 tokens; a request goes from 400 to 600 tokens, 500.5 at the end of a step.
    CapacityRun run{1, [](std::int64_t) { return 400; }, 200, 1000, 2000};
    const CapacityUse use = used("static", {10000, 1000, 0}, run);
    EXPECT_NEAR(use.reserved_share, 1.0, 1e-9);
    EXPECT_NEAR(use.requests, 10.0, 1e-9);
    EXPECT_NEAR(use.live_share, 0.5005, 1e-9);
    EXPECT_EQ(use.preemptions, 0.0);
}

TEST(CapacityUse, a_request_that_ends_at_the_window_leaves_there) {
    CapacityRun run{1, [](std::int64_t) { return 900; }, 200, 1000, 1000};
    EXPECT_NEAR(used("static", {10000, 1000, 0}, run).live_share, 0.9505, 1e-9);
}

TEST(CapacityUse, chunks_lose_no_more_than_the_last_chunk_of_each_request) {
    CapacityRun run{10,
                    [](std::int64_t index) {
                        return 50 + static_cast<std::int64_t>(uniform_below(
                                        random_bits(7, static_cast<std::uint64_t>(index)), 200));
                    },
                    40, 400, 3000};
    const CapacityUse use = used("chunked", {40000, 0, 64}, run);
    EXPECT_GT(use.requests, 20.0);
    EXPECT_LE((use.reserved_share - use.live_share) * 40000, use.requests * 64);
    // What no request holds is less than the longest one.
    EXPECT_GT(use.reserved_share, 1.0 - 2500.0 / 40000);
}

TEST(CapacityUse, a_memory_that_holds_one_request_too_few_sends_one_back) {
    // Three requests of 100 tokens come in, and 310 tokens hold them for three steps only.
    CapacityRun run{1, [](std::int64_t) { return 100; }, 50, 200, 500};
    EXPECT_GT(used("chunked", {310, 0, 1}, run).preemptions, 0.0);
}

TEST(CapacityUse, a_request_that_fits_nowhere_is_refused) {
    CapacityRun run{1, [](std::int64_t) { return 100; }, 50, 200, 500};
    const auto allocator = make_allocator("chunked", {120, 0, 1}, "test").value();
    const auto use = capacity_use(*allocator, run, "--batch");
    ASSERT_FALSE(use.ok());
    EXPECT_EQ(use.error().where, "--batch");
}

// The figure that the papers' four sets of lengths have by themselves: mean length / window.
TEST(CapacityUse, of_the_published_lengths_static_uses_mean_over_window_and_chunks_nearly_all) {
    for (const LengthStatistics& lengths : length_statistics()) {
        const LengthDistribution distribution(lengths);
        const auto prompt = [&](std::int64_t index) {
            return distribution.quantile(
                uniform(random_bits(3, static_cast<std::uint64_t>(index))));
        };
        const bool gqa = lengths.window_tokens > 65536;
        const std::int64_t token = gqa ? 128 << 10 : 512 << 10;
        CapacityRun run{token, prompt, 128, lengths.window_tokens, 4000};
        const std::int64_t capacity = std::int64_t{113} << 30;
        const CapacityUse fixed = used("static", {capacity, token * lengths.window_tokens, 0}, run);
        const double share = lengths.mean_tokens / static_cast<double>(lengths.window_tokens);
        const double places = std::floor(static_cast<double>(capacity) /
                                         static_cast<double>(token * lengths.window_tokens));
        const double places_share = places * static_cast<double>(token * lengths.window_tokens) /
                                    static_cast<double>(capacity);
        EXPECT_NEAR(fixed.live_share, share * places_share, 0.06) << lengths.name;
        const CapacityUse chunked = used("chunked", {capacity, 0, 1 << 20}, run);
        EXPECT_GT(chunked.live_share, 1.5 * fixed.live_share) << lengths.name;
        EXPECT_GT(chunked.requests, 1.5 * fixed.requests) << lengths.name;
    }
}

}  // namespace
}  // namespace memside::kv
