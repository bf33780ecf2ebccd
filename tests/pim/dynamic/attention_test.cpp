// Attention as a dynamic program, on data, for both layouts, at contexts around every edge.
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "pim/dynamic/attention_run.h"

namespace memside::pim {
namespace {

constexpr std::uint32_t pool_rows = 2048;

void check(const AttentionShape& shape, std::uint64_t tokens, std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("{} tokens, {}", tokens, shape.hfp ? "HFP" : "TCP"));
    const AttentionLayout layout(shape);
    ASSERT_LE(layout.end_gpr(), gpr_entries);
    const DynamicProgram program = attention_program(layout);
    const AttentionData data = attention_data(shape, tokens, seed);
    const AttentionReference reference = attention_reference(layout, data, tokens);
    const auto results = run_attention(layout, program, data, tokens,
                                       shuffled_pool(pool_rows, shape.chunk_rows, seed));
    for (std::size_t q = 0; q < results.size(); ++q) {
        for (std::size_t d = 0; d < shape.head_dim; ++d) {
            ASSERT_NEAR(double{to_float(results[q][d])}, reference.outputs[q][d],
                        reference.tolerance[q][d])
                << "query " << q << ", dimension " << d;
        }
    }
    // Where chunks lie changes nothing.
    EXPECT_EQ(results, run_attention(layout, program, data, tokens,
                                     ordered_pool(pool_rows, shape.chunk_rows)));
}

const AttentionShape tcp{.head_dim = 128, .channels = 32, .queries = 4};
const AttentionShape hfp{
    .head_dim = 128, .channels = 8, .hfp = true, .heads = 8, .queries = 2, .chunk_rows = 4};

class AttentionContexts : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Contexts, AttentionContexts,
                         testing::Values(1, 15, 16, 17, 255, 1000, 1024, 4096, 4097));

TEST_P(AttentionContexts, tokens_over_all_channels_give_the_reference) {
    check(tcp, GetParam(), 1);
}

TEST_P(AttentionContexts, heads_in_lockstep_give_the_reference) {
    if (GetParam() <= 1024) check(hfp, GetParam(), 2);
    AttentionShape two = hfp;
    two.heads = 2;
    check(two, GetParam(), 3);
}

TEST_P(AttentionContexts, half_a_module_and_wide_heads_give_the_reference) {
    check({.head_dim = 256, .channels = 16, .queries = 2, .chunk_rows = 2}, GetParam(), 4);
}

TEST_P(AttentionContexts, a_window_gives_the_reference) {
    AttentionShape sliding = tcp;
    sliding.window = 512;
    check(sliding, GetParam(), 5);
}

TEST(Attention, dimension_groups_that_do_not_divide_the_channels_give_the_reference) {
    for (const std::uint64_t tokens : {1U, 500U, 3000U}) {
        check({.head_dim = 96, .channels = 32, .queries = 2}, tokens, 6);
        check({.head_dim = 80, .channels = 16, .queries = 3}, tokens, 7);
        check({.head_dim = 100, .channels = 16, .queries = 1}, tokens, 8);  // ends inside a tile
    }
}

TEST(Attention, more_dimension_groups_than_channels_give_the_reference) {
    for (const std::uint64_t tokens : {1U, 17U, 1500U}) {
        check({.head_dim = 128, .channels = 3, .queries = 2}, tokens, 9);
        check({.head_dim = 256, .channels = 8, .queries = 2}, tokens, 10);
    }
}

RC_GTEST_PROP(Attention, at_random_shapes_and_contexts_it_gives_the_reference,
              (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t count) { return random() % count; };
    AttentionShape shape;
    shape.hfp = pick(2) == 1;
    shape.head_dim = static_cast<std::uint32_t>(16 + 16 * pick(8));
    shape.channels = static_cast<unsigned>(1 + pick(32));
    if (shape.hfp) shape.heads = static_cast<unsigned>(1 + pick(std::min(shape.channels, 4U)));
    shape.queries = static_cast<unsigned>(1 + pick(2));
    shape.chunk_rows = static_cast<std::uint32_t>(1 + pick(3));
    if (pick(3) == 0) shape.window = static_cast<std::uint32_t>(1 + pick(900));
    RC_PRE(AttentionLayout(shape).end_gpr() <= gpr_entries);
    check(shape, 1 + pick(1400), seed);
}

TEST(Attention, weights_follow_the_largest_score_over_blocks) {
    // Scores that grow from block to block, so that every block rescales what came before it.
    AttentionShape shape{.head_dim = 64, .channels = 1, .queries = 1};
    const AttentionLayout layout(shape);
    const std::uint64_t tokens = 3 * layout.block_tokens() + 40;
    AttentionData data = attention_data(shape, tokens, 11);
    for (std::uint64_t t = 0; t < tokens; ++t) {
        for (std::size_t d = 0; d < 64; ++d) {
            const float q = to_float(data.queries[0][d]);
            const float growing = static_cast<float>(t) / static_cast<float>(tokens);
            data.keys[0][t * 64 + d] = to_bf16(0.5F * growing * (q > 0 ? 1.0F : -1.0F));
        }
    }
    const AttentionReference reference = attention_reference(layout, data, tokens);
    const auto results = run_attention(layout, attention_program(layout), data, tokens,
                                       ordered_pool(pool_rows, shape.chunk_rows));
    for (std::size_t d = 0; d < 64; ++d) {
        EXPECT_NEAR(double{to_float(results[0][d])}, reference.outputs[0][d],
                    reference.tolerance[0][d]);
    }
}

TEST(Attention, the_program_is_as_small_for_any_context) {
    const DynamicProgram program = attention_program(AttentionLayout(tcp));
    EXPECT_TRUE(validate(program, "attention").ok());
    EXPECT_LT(program.items.size(), 80U);
}

}  // namespace
}  // namespace memside::pim
