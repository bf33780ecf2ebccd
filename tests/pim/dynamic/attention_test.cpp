// Attention as a dynamic program, on data, for both layouts, at contexts around every edge.
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "pim/dynamic/attention_run.h"
#include "pim/dynamic/dynamic_binary.h"

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
    check(shape, 1 + pick(700), seed);
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
            data.values[0][t * 64 + d] = to_bf16(growing);
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

TEST(Attention, steps_from_an_empty_cache_append_every_token_for_later_steps) {
    AttentionShape shape{.head_dim = 32, .channels = 2, .hfp = true, .heads = 2, .queries = 1};
    const AttentionLayout layout(shape);
    constexpr std::uint64_t tokens = 70;
    const AttentionData data = attention_data(shape, tokens, 12);
    DynamicMachine machine;
    Dispatcher dispatcher =
        Dispatcher::create(attention_program(layout), shuffled_pool(64, 1, 12), machine.zeroing(2))
            .value();
    ASSERT_TRUE(dispatcher.admit(1, 0).ok());
    for (std::uint32_t q = 0; q < 2; ++q) {
        place_in_gprs(data.queries[q], 2, layout.queries_gpr() + 2 * q, machine.memory());
    }
    for (std::uint64_t t = 0; t < tokens; ++t) {
        for (std::uint32_t h = 0; h < 2; ++h) {
            place_in_gprs(std::span(data.keys[h]).subspan(t * 32, 32), 2, layout.key_gpr() + 2 * h,
                          machine.memory());
            place_in_gprs(std::span(data.values[h]).subspan(t * 32, 32), 2,
                          layout.value_gpr() + 2 * h, machine.memory());
        }
        ASSERT_TRUE(dispatcher.step(1, machine).ok());
    }
    ASSERT_EQ(machine.machine().uninitialised().count, 0U);
    EXPECT_EQ(dispatcher.host_actions().total(), 1U + dispatcher.pool().used());
    const AttentionReference reference = attention_reference(layout, data, tokens);
    for (std::uint32_t q = 0; q < 2; ++q) {
        const auto got = gather_gprs(layout.results_gpr() + 2 * q, 32, machine.memory());
        for (std::size_t d = 0; d < 32; ++d) {
            EXPECT_NEAR(double{to_float(got[d])}, reference.outputs[q][d],
                        reference.tolerance[q][d]);
        }
    }
}

TEST(Attention, one_binary_gives_the_reference_at_4096_and_at_131072_tokens) {
    const AttentionShape shape{.head_dim = 64, .channels = 32, .queries = 1};
    const AttentionLayout layout(shape);
    const auto program =
        parse_dynamic_binary(to_binary(attention_program(layout)), "attention.bin");
    ASSERT_TRUE(program.ok()) << program.error().message();
    for (const std::uint64_t tokens : {4096U, 131072U}) {
        AttentionData data = attention_data(shape, tokens, tokens);
        // One token that the query asks for, in the middle of some block: its value is the answer.
        const std::uint64_t asked = tokens / 3 * 2 + 5;
        for (std::size_t d = 0; d < shape.head_dim; ++d) {
            data.keys[0][asked * shape.head_dim + d] = to_bf16(3.0F * to_float(data.queries[0][d]));
        }
        const AttentionReference reference = attention_reference(layout, data, tokens);
        const auto results = run_attention(layout, *program, data, tokens,
                                           shuffled_pool(pool_rows, shape.chunk_rows, tokens));
        for (std::size_t d = 0; d < shape.head_dim; ++d) {
            EXPECT_NEAR(double{to_float(results[0][d])}, reference.outputs[0][d],
                        reference.tolerance[0][d])
                << tokens;
        }
    }
}

TEST(Attention, the_program_is_as_small_for_any_context) {
    const DynamicProgram program = attention_program(AttentionLayout(tcp));
    EXPECT_TRUE(validate(program, "attention").ok());
    EXPECT_LT(program.items.size(), 80U);
}

}  // namespace
}  // namespace memside::pim
