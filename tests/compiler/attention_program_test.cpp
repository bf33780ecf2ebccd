// The attention that simulations time, against what the passes make of the same step.
#include "compiler/encode/attention_program.h"

#include <rapidcheck/gtest.h>

#include "compiler/compile_text.h"
#include "pim/dynamic/dynamic_binary.h"

namespace memside::compiler {
namespace {

// What front/from_model.cpp builds for the kernel `attention`.
std::string step_text(const AttentionShape& shape) {
    return fmt::format(
        R"(
!q = tensor<{0}x{2}xbf16, #decode.axes<[head, channel]>>
!kv = tensor<{1}x{2}xbf16, #decode.axes<[head, channel]>>
!keys = !decode.cache<{1} x {2}, key>
!values = !decode.cache<{1} x {2}, value>
func.func @attention(%q: !q, %k: !kv, %v: !kv, %keys: !keys, %values: !values) -> !q
    attributes {{decode.model = "toy"}} {{
  %keys1 = decode.append %keys, %k : !keys, !kv -> !keys
  %values1 = decode.append %values, %v : !values, !kv -> !values
  %o = decode.attention %q, %keys1, %values1 {{scale = {3:.9e} : f32, window = {4} : i64}}
    : !q, !keys, !values -> !q
  return %o : !q
}}
)",
        shape.kv_heads * shape.group, shape.kv_heads, shape.head_dim, shape.scale, shape.window);
}

// Both refuse, or both give the same program, to its last byte.
void expect_the_same(const AttentionShape& shape, const CompileOptions& compiled) {
    SCOPED_TRACE(fmt::format("{} x {} heads of {}, window {}, {}, {} channels, {} accumulators, {}",
                             shape.kv_heads, shape.group, shape.head_dim, shape.window,
                             compiled.heads, compiled.channels, compiled.accumulators,
                             compiled.row_reuse ? "row reuse" : "no row reuse"));
    AttentionOptions options;
    options.channels = compiled.channels;
    options.partition = compiled.heads == "tcp" ? HeadPartition::tcp : HeadPartition::hfp;
    options.row_reuse = compiled.row_reuse;
    options.accumulators = compiled.accumulators;
    const auto direct = attention_program("toy", shape, options);
    if (!direct) {
        EXPECT_NE(diagnostics_of(step_text(shape), compiled), "") << direct.error().message();
        return;
    }
    const auto made = compile_text(step_text(shape), compiled);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(direct->entries, made->program.entries);
    EXPECT_EQ(direct->regions, made->program.regions);
    ASSERT_EQ(direct->items.size(), made->program.items.size());
    for (std::size_t i = 0; i < direct->items.size(); ++i) {
        ASSERT_EQ(direct->items[i], made->program.items[i]) << "item " << i;
    }
    EXPECT_EQ(pim::to_binary(*direct), pim::to_binary(made->program));
}

TEST(attention_program, of_known_models_is_what_the_passes_make) {
    const std::vector<AttentionShape> shapes{
        {.kv_heads = 8, .group = 4, .head_dim = 128, .scale = 0.088388346F},   // Llama-3.1-8B
        {.kv_heads = 32, .group = 1, .head_dim = 128, .scale = 0.088388346F},  // Qwen1.5-7B
        {.kv_heads = 1,
         .group = 4,
         .head_dim = 256,
         .window = 512,
         .scale = 0.0625F},  // Gemma-3-270M
        {.kv_heads = 1, .group = 16, .head_dim = 128},
        {.kv_heads = 3, .group = 3, .head_dim = 64},
    };
    for (const AttentionShape& shape : shapes) {
        for (const char* partition : {"tcp", "hfp"}) {
            for (const unsigned accumulators : {1U, 2U, 64U}) {
                for (const bool reuse : {true, false}) {
                    expect_the_same(
                        shape,
                        {.heads = partition, .row_reuse = reuse, .accumulators = accumulators});
                }
            }
        }
    }
}

TEST(attention_program, programs_in_flight_share_scratch_and_states) {
    const AttentionShape shape{.kv_heads = 1, .group = 4, .head_dim = 128};
    const AttentionOptions options;
    const auto alone = attention_program("toy", shape, options);
    const auto pair = attention_program("toy", shape, options, 2);
    ASSERT_TRUE(alone.ok() && pair.ok());
    EXPECT_LE(2 * pair->block_tokens, alone->block_tokens);
    EXPECT_GT(3 * pair->block_tokens, alone->block_tokens);
    // Too many for the registers, or for the hub's 16 states.
    EXPECT_FALSE(attention_program("toy", shape, options, 17).ok());
}

RC_GTEST_PROP(attention_program, is_what_the_passes_make, ()) {
    AttentionShape shape;
    shape.kv_heads = *rc::gen::inRange(1U, 41U);
    shape.group = *rc::gen::inRange(1U, 17U);
    shape.head_dim = 16 * *rc::gen::inRange(1U, 17U);
    if (*rc::gen::inRange(0, 3) == 0) shape.window = *rc::gen::inRange(1U, 5000U);
    CompileOptions options;
    options.heads = *rc::gen::element<std::string>("tcp", "hfp");
    options.channels = *rc::gen::inRange(1U, 33U);
    options.row_reuse = *rc::gen::arbitrary<bool>();
    options.accumulators = *rc::gen::element(1U, 2U, 3U, 16U, 64U);
    expect_the_same(shape, options);
    RC_ASSERT(!testing::Test::HasFailure());
}

}  // namespace
}  // namespace memside::compiler
