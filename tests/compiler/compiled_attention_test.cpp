// Attention of real shapes, compiled from a decode step and run on data, against sums in double.
#include <cmath>
#include <random>

#include "compiler/attention_on_data.h"
#include "compiler/compile_text.h"
#include "pim/dynamic/dynamic_binary.h"

namespace memside::compiler {
namespace {

using testing::HasSubstr;

struct NamedShape {
    const char* name;
    AttentionShape shape;
};

AttentionShape shape_of(std::uint32_t kv_heads, std::uint32_t group, std::uint32_t head_dim,
                        std::uint32_t window = 0) {
    return {.kv_heads = kv_heads,
            .group = group,
            .head_dim = head_dim,
            .window = window,
            .scale = 1 / std::sqrt(static_cast<float>(head_dim))};
}

const NamedShape llama{"Llama-3.1-8B", shape_of(8, 4, 128)};
const NamedShape qwen{"Qwen1.5-7B", shape_of(32, 1, 128)};
const NamedShape gemma{"Gemma-3-270M", shape_of(1, 4, 256)};
const NamedShape gemma_sliding{"Gemma-3-270M, sliding", shape_of(1, 4, 256, 512)};

std::string text_of(const AttentionShape& shape) {
    return fmt::format(R"(
!q = tensor<{0}x{2}xbf16, #decode.axes<[head, channel]>>
!kv = tensor<{1}x{2}xbf16, #decode.axes<[head, channel]>>
!s = tensor<{0}x?xf32, #decode.axes<[head, token]>>
!k = !decode.cache<{1} x {2}, key>
!v = !decode.cache<{1} x {2}, value>
func.func @attention(%q: !q, %key: !kv, %value: !kv, %k: !k, %v: !v) -> !q {{
  %k1 = decode.append %k, %key : !k, !kv -> !k
  %v1 = decode.append %v, %value : !v, !kv -> !v
  %s = decode.qk %q, %k1 : !q, !k -> !s
  %w = decode.softmax %s {{scale = {3:.9e} : f32, window = {4} : i64}} : !s -> !s
  %o = decode.sv %w, %v1 : !s, !v -> !q
  return %o : !q
}}
)",
                       shape.kv_heads * shape.group, shape.kv_heads, shape.head_dim, shape.scale,
                       shape.window);
}

// Regions as the program names them: keys of all rounds of heads, then values.
AttentionPlaces places_of(const CompiledProgram& made, const AttentionShape& shape,
                          const CompileOptions& options) {
    AttentionPlaces places;
    const bool hfp = options.heads == "hfp";
    const auto rounds = static_cast<std::uint32_t>(made.program.regions.size() / 2);
    const std::uint32_t at_once = pim::units(shape.kv_heads, rounds);
    for (std::uint32_t r = 0; r < rounds; ++r) {
        const std::uint32_t first = r * at_once;
        const unsigned heads = std::min(at_once, shape.kv_heads - first);
        const auto layout = [&](pim::KvKind kind) {
            return hfp ? pim::KvLayout::hfp(kind, shape.head_dim, options.channels, heads)
                       : pim::KvLayout::tcp(kind, shape.head_dim, options.channels);
        };
        places.heads.push_back(
            {first, layout(pim::KvKind::key), layout(pim::KvKind::value), r, rounds + r});
    }
    places.query = made.registers.at("argument0");
    places.key = made.registers.at("argument1");
    places.value = made.registers.at("argument2");
    places.output = made.registers.at("result0");
    return places;
}

Outputs run(const NamedShape& named, const CompileOptions& options, const AttentionData& data,
            std::uint64_t tokens) {
    const auto made = compile_text(text_of(named.shape), options);
    if (!made) return {};
    const AttentionPlaces places = places_of(*made, named.shape, options);
    if (options.is_static) return run_fixed_attention(made->program, places, data, tokens);
    return run_attention(made->program, places, data, tokens,
                         shuffled_pool(pim::rows_per_bank, made->program.chunk_rows, tokens));
}

void check(const NamedShape& named, std::uint64_t tokens) {
    const AttentionData data = attention_data(named.shape, tokens, tokens);
    const AttentionReference reference = attention_reference(named.shape, data, tokens);
    for (const char* heads : {"tcp", "hfp"}) {
        SCOPED_TRACE(fmt::format("{}, {} tokens, {}", named.name, tokens, heads));
        const Outputs dynamic = run(named, {.heads = heads}, data, tokens);
        expect_near(dynamic, reference);
        // The order of commands, addresses and unrolling change no bit.
        EXPECT_TRUE(run(named, {.heads = heads, .order = false}, data, tokens) == dynamic);
        CompileOptions fixed{.heads = heads, .is_static = true, .max_context = tokens};
        EXPECT_TRUE(run(named, fixed, data, tokens) == dynamic);
        fixed.unroll = true;
        EXPECT_TRUE(run(named, fixed, data, tokens) == dynamic);
    }
}

class CompiledAttention : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Contexts, CompiledAttention, testing::Values(1, 15, 16, 17, 1024, 4096));

TEST_P(CompiledAttention, of_llama_equals_the_reference) {
    check(llama, GetParam());
}

TEST_P(CompiledAttention, of_qwen_equals_the_reference) {
    check(qwen, GetParam());
}

TEST_P(CompiledAttention, of_gemma_equals_the_reference) {
    check(gemma, GetParam());
    check(gemma_sliding, GetParam());
}

TEST(compiled_attention, random_contexts_equal_the_reference) {
    std::mt19937_64 random(8);
    std::uniform_int_distribution<std::uint64_t> tokens(1, 3000);
    for (const NamedShape& shape : {llama, gemma, gemma_sliding}) check(shape, tokens(random));
}

TEST(compiled_attention, one_binary_serves_all_contexts_and_static_ones_grow) {
    for (const char* heads : {"tcp", "hfp"}) {
        const auto dynamic = compile_text(text_of(llama.shape), {.heads = heads});
        ASSERT_TRUE(dynamic.has_value());
        EXPECT_EQ(dynamic->program.max_tokens, 0U);
        EXPECT_LT(dynamic->program.items.size(), 400U);
        std::uint64_t before = 0;
        for (const std::uint64_t context : {4096U, 8192U, 16384U}) {
            const auto fixed = compile_text(
                text_of(llama.shape),
                {.heads = heads, .is_static = true, .max_context = context, .unroll = true});
            ASSERT_TRUE(fixed.has_value());
            const std::uint64_t items = fixed->program.items.size();
            if (before != 0) {
                EXPECT_GT(static_cast<double>(items), 1.5 * static_cast<double>(before));
            }
            before = items;
        }
        EXPECT_GT(before, dynamic->program.items.size());
    }
}

// Compiled once; the request grows to 32 times its context.
TEST(compiled_attention, of_one_binary_equals_the_reference_at_4K_and_128K) {
    const CompileOptions options{.heads = "tcp"};
    const auto made = compile_text(text_of(gemma.shape), options);
    ASSERT_TRUE(made.has_value());
    const std::string bytes = pim::to_binary(made->program);
    const AttentionPlaces places = places_of(*made, gemma.shape, options);
    for (const std::uint64_t tokens : {std::uint64_t{4} << 10, std::uint64_t{128} << 10}) {
        SCOPED_TRACE(fmt::format("{} tokens", tokens));
        const auto program = pim::parse_dynamic_binary(bytes, "binary").value();
        const AttentionData data = attention_data(gemma.shape, tokens, tokens);
        expect_near(run_attention(program, places, data, tokens,
                                  shuffled_pool(pim::rows_per_bank, program.chunk_rows, tokens)),
                    attention_reference(gemma.shape, data, tokens));
    }
}

TEST(compiled_attention, a_cache_that_does_not_fit_is_refused_with_what_would) {
    EXPECT_THAT(diagnostics_of(text_of(qwen.shape),
                               {.is_static = true, .max_context = std::uint64_t{1} << 24}),
                HasSubstr("a bank has 16384"));
    EXPECT_THAT(diagnostics_of(text_of(qwen.shape), {.heads = "rows"}),
                HasSubstr("heads=rows; allowed: hfp, tcp"));
    EXPECT_THAT(diagnostics_of(text_of(qwen.shape), {.channels = 33}),
                HasSubstr("allowed: 1 to 32"));
}

}  // namespace
}  // namespace memside::compiler
