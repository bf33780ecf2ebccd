#include "engine/attention_bench.h"

namespace memside::engine {
namespace {

AttentionBenchOptions small() {
    AttentionBenchOptions options;
    options.context_tokens = 4096;
    options.heads = 4;
    options.kv_heads = 2;
    options.head_dim = 16;
    options.page_tokens = 16;
    options.seconds = 0.0;
    options.distinct_bytes = 1 << 20;
    return options;
}

TEST(AttentionBench, dense_attention_reads_every_token_of_two_layers) {
    const auto result = bench_attention(small());
    ASSERT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(result->layers, 2);
    EXPECT_EQ(result->bytes_read, 4096 * 2 * 32 * 2);
    EXPECT_EQ(result->repetitions, 3 * 2);
    EXPECT_NEAR(result->gb_per_s * result->ns_per_token_per_layer,
                static_cast<double>(result->bytes_read), 1.0);
}

TEST(AttentionBench, int8_is_read_with_its_scales_and_bf16_like_f16) {
    AttentionBenchOptions options = small();
    options.kv_type = kv::ValueType::bf16;
    const auto halves = bench_attention(options);
    ASSERT_TRUE(halves.ok());
    EXPECT_EQ(halves->bytes_read, 4096 * 2 * 32 * 2);
    options.kv_type = kv::ValueType::int8;
    const auto bytes = bench_attention(options);
    ASSERT_TRUE(bytes.ok());
    // Of 256 pages of two heads: 16 x 16 keys and values, and two cache lines of scales.
    EXPECT_EQ(bytes->bytes_read, 256 * 2 * (2 * 256 + 2 * 64));
    options.kv_type = kv::ValueType::fp8;
    EXPECT_FALSE(bench_attention(options).ok());
}

TEST(AttentionBench, a_selection_reads_digests_and_the_budget) {
    AttentionBenchOptions options = small();
    options.select = true;
    options.budget_tokens = 512;
    const auto result = bench_attention(options);
    ASSERT_TRUE(result.ok()) << result.error().message();
    // Two vectors of 16 halves for each of 256 pages of two heads; then 512 tokens.
    EXPECT_EQ(result->bytes_read, 256 * 2 * 2 * 16 * 2 + 512 * 2 * 32 * 2);
    options.budget_tokens = 16;
    EXPECT_FALSE(bench_attention(options).ok());
}

}  // namespace
}  // namespace memside::engine
