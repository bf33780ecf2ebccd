#include "cluster/lengths_capacity.h"

#include <gtest/gtest.h>

#include "model/catalog.h"

namespace memside {
namespace {

LengthsCapacityRequest request(const char* model, const char* lengths) {
    LengthsCapacityRequest made;
    made.model = load_model(model).value();
    made.lengths = find_length_statistics(lengths, "test").value();
    made.module_bytes = std::int64_t{16} << 30;
    made.modules = 8;
    made.chunk_bytes = 1 << 20;
    made.output_tokens = 128;
    made.steps = 20000;
    return made;
}

TEST(LengthsCapacity, is_what_modules_hold_beside_the_weights) {
    const LengthsCapacityRequest made = request("llama-3.1-8b", "multifieldqa");
    const LengthsCapacity result = lengths_capacity(made).value();
    EXPECT_EQ(result.kv_capacity_bytes, (std::int64_t{128} << 30) - made.model.weights.bytes());
    EXPECT_EQ(result.bytes_per_token, 128 << 10);
    EXPECT_EQ(result.regions_per_request, 512);
}

// Seven windows of 16 GiB stand in 113 GiB; a request fills mean / window of one.
TEST(LengthsCapacity, a_reserved_window_is_live_by_mean_over_window) {
    const LengthsCapacityRequest made = request("llama-3.1-8b", "multifieldqa");
    const LengthsCapacity result = lengths_capacity(made).value();
    EXPECT_NEAR(result.reserved.requests, 7.0, 0.01);
    const double window = 128.0 * 1024.0;
    const double held =
        7.0 * window * 128.0 * 1024.0 / static_cast<double>(result.kv_capacity_bytes);
    EXPECT_NEAR(result.reserved.live_share, held * (60780.0 + 64.0) / window, 0.02);
}

// A chunk holds 4,096 tokens of a region: half of one is lost per request, in all regions at once.
TEST(LengthsCapacity, chunks_for_each_region_lose_half_of_a_chunk_of_tokens_a_request) {
    for (const auto& [model, lengths] :
         {std::pair{"qwen1.5-7b", "qmsum"}, std::pair{"llama-3.1-8b", "loogle-sd"}}) {
        const LengthsCapacityRequest made = request(model, lengths);
        const LengthsCapacity result = lengths_capacity(made).value();
        const double lost =
            result.chunked_regions.reserved_share - result.chunked_regions.live_share;
        const double half = 2048.0 * static_cast<double>(result.bytes_per_token) *
                            result.chunked_regions.requests /
                            static_cast<double>(result.kv_capacity_bytes);
        EXPECT_NEAR(lost, half, 0.25 * half) << lengths;
        EXPECT_GE(result.chunked.live_share, result.chunked_regions.live_share) << lengths;
        EXPECT_GT(result.chunked_regions.live_share, result.reserved.live_share) << lengths;
    }
}

TEST(LengthsCapacity, modules_that_cannot_hold_the_weights_are_refused_with_both_sizes) {
    LengthsCapacityRequest made = request("llama-3.1-70b", "multifieldqa");
    const auto result = lengths_capacity(made);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().where, "--modules");
    EXPECT_NE(result.error().what.find("8 modules hold 128 GiB"), std::string::npos)
        << result.error().what;
}

}  // namespace
}  // namespace memside
