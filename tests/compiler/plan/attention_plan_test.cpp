// Plans of attention, and what is written from them, on data at contexts around every edge.
#include "compiler/plan/attention_plan.h"

#include <bit>
#include <cmath>

#include "compiler/attention_on_data.h"
#include "compiler/encode/item_writer.h"
#include "compiler/plan/attention_code.h"
#include "pim/dynamic/expansion.h"

namespace memside::compiler {
namespace {

using testing::HasSubstr;

struct Compiled {
    pim::DynamicProgram program;
    std::vector<HeadRound> rounds;
    AttentionPlaces places;
};

// Registers: a tile of zeros, queries, new keys, new values, outputs, scratch.
Compiled compile(const AttentionShape& shape, const AttentionOptions& options) {
    const std::uint32_t tiles = pim::units(shape.head_dim, pim::lanes);
    Compiled made;
    AttentionPlaces& places = made.places;
    places.query = 1;
    places.key = places.query + shape.kv_heads * shape.group * tiles;
    places.value = places.key + shape.kv_heads * tiles;
    places.output = places.value + shape.kv_heads * tiles;
    const std::uint32_t scratch = places.output + shape.kv_heads * shape.group * tiles;
    auto rounds = plan_rounds(shape, options,
                              {.zero = 0,
                               .query = places.query,
                               .output = places.output,
                               .scratch = scratch,
                               .scratch_tiles = pim::gpr_entries - scratch});
    EXPECT_TRUE(rounds.ok()) << rounds.error().message();
    if (!rounds) return made;
    made.rounds = *rounds;

    made.program.channels = options.channels;
    made.program.chunk_rows = pim::chunk_rows_for(options.channels);
    made.program.block_tokens = made.rounds.front().plan.block_tokens;
    ItemWriter writer;
    pim::HubInstruction zero;
    zero.op = pim::HubOp::fill;
    zero.tiles = 1;
    zero.scale = 0;
    writer.add(zero);
    for (const HeadRound& round : made.rounds) {
        const auto region = static_cast<std::uint32_t>(made.program.regions.size());
        made.program.regions.push_back(
            {.name = fmt::format("keys {}", round.first_head), .per_request = true});
        made.program.regions.push_back(
            {.name = fmt::format("values {}", round.first_head), .per_request = true});
        places.heads.push_back(
            {round.first_head, round.plan.keys, round.plan.values, region, region + 1});
        const std::uint32_t before = round.first_head * tiles;
        write_append(round.plan, pim::KvKind::key, region, places.key + before, writer);
        write_append(round.plan, pim::KvKind::value, region + 1, places.value + before, writer);
        write_attention(round.plan, {region, region + 1}, writer);
    }
    made.program.items = std::move(writer).finish();
    made.program.entries.push_back(
        {.name = "attention",
         .op_type = pim::OpType::attention,
         .channel_mask = pim::channel_mask(options.channels),
         .item_count = static_cast<std::uint32_t>(made.program.items.size())});
    return made;
}

void check(const AttentionShape& shape, const AttentionOptions& options, std::uint64_t tokens) {
    SCOPED_TRACE(fmt::format("{} tokens, {}", tokens,
                             options.partition == HeadPartition::hfp ? "HFP" : "TCP"));
    const Compiled made = compile(shape, options);
    ASSERT_FALSE(testing::Test::HasFailure());
    const AttentionData data = attention_data(shape, tokens, tokens);
    expect_near(run_attention(made.program, made.places, data, tokens,
                              shuffled_pool(4096, made.program.chunk_rows, tokens)),
                attention_reference(shape, data, tokens));
}

AttentionShape shape_of(std::uint32_t kv_heads, std::uint32_t group, std::uint32_t head_dim) {
    return {.kv_heads = kv_heads,
            .group = group,
            .head_dim = head_dim,
            .scale = 1 / std::sqrt(static_cast<float>(head_dim))};
}

AttentionOptions with(HeadPartition partition, unsigned channels = 32) {
    return {.channels = channels, .partition = partition};
}

class AttentionContexts : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Contexts, AttentionContexts,
                         testing::Values(1, 15, 16, 17, 511, 1024, 4096, 4097));

TEST_P(AttentionContexts, tcp_equals_the_reference) {
    check(shape_of(2, 4, 128), with(HeadPartition::tcp), GetParam());
}

TEST_P(AttentionContexts, hfp_equals_the_reference) {
    check(shape_of(3, 4, 128), with(HeadPartition::hfp), GetParam());
}

TEST_P(AttentionContexts, wide_heads_equal_the_reference) {
    check(shape_of(1, 4, 256), with(HeadPartition::tcp), GetParam());
    check(shape_of(1, 4, 256), with(HeadPartition::hfp), GetParam());
}

TEST_P(AttentionContexts, heads_of_odd_tiles_equal_the_reference) {
    for (const std::uint32_t head_dim : {48U, 112U}) {
        check(shape_of(2, 4, head_dim), with(HeadPartition::tcp), GetParam());
        check(shape_of(2, 4, head_dim), with(HeadPartition::hfp), GetParam());
    }
}

TEST_P(AttentionContexts, small_blocks_equal_the_reference) {
    AttentionOptions options = with(HeadPartition::hfp, 4);
    options.block_tokens = 1024;
    check(shape_of(2, 2, 128), options, GetParam());
    options.partition = HeadPartition::tcp;
    check(shape_of(2, 2, 128), options, GetParam());
}

TEST(attention_plan, one_accumulator_and_no_reuse_equal_the_reference) {
    for (const HeadPartition partition : {HeadPartition::hfp, HeadPartition::tcp}) {
        AttentionOptions options = with(partition, 6);
        options.accumulators = 1;
        options.row_reuse = false;
        options.transfer_tiles = 64;
        check(shape_of(2, 3, 128), options, 1500);
        options.order = CommandOrder::score_by_score;
        options.accumulators = 5;
        options.row_reuse = true;
        check(shape_of(2, 3, 128), options, 1500);
    }
}

TEST(attention_plan, more_heads_than_channels_run_in_rounds) {
    check(shape_of(5, 1, 64), with(HeadPartition::hfp, 2), 300);
    const Compiled made = compile(shape_of(5, 1, 64), with(HeadPartition::hfp, 2));
    ASSERT_EQ(made.rounds.size(), 3U);
    EXPECT_EQ(made.rounds.back().plan.shape.kv_heads, 1U);
}

TEST(attention_plan, a_window_masks_older_tokens) {
    AttentionShape shape = shape_of(1, 4, 256);
    shape.window = 512;
    for (const std::uint64_t tokens : {512U, 513U, 2300U}) {
        check(shape, with(HeadPartition::tcp), tokens);
    }
}

TEST(attention_plan, a_block_is_whole_rows_and_fills_the_registers) {
    const Compiled made = compile(shape_of(8, 4, 128), with(HeadPartition::tcp));
    const AttentionPlan& plan = made.rounds.front().plan;
    const std::uint64_t unit = block_unit(plan.keys, plan.values);
    EXPECT_EQ(unit, 4096U);  // 8 keys of 16 banks of 32 channels; 64 x 16 tokens of 4 classes
    EXPECT_EQ(plan.block_tokens % unit, 0U);
    EXPECT_LE(scratch_tiles(plan, plan.block_tokens), plan.registers.scratch_tiles);
    EXPECT_GT(scratch_tiles(plan, plan.block_tokens + unit), plan.registers.scratch_tiles);
}

TEST(attention_plan, heads_in_lockstep_give_way_to_the_registers) {
    // 32 heads of 8 queries would need 16,384 registers for a row of values.
    const Compiled made = compile(shape_of(32, 8, 128), with(HeadPartition::hfp));
    EXPECT_EQ(made.rounds.size(), 2U);
}

// Channels that a program gives work when it expands.
class ChannelCount : public pim::Sink {
  public:
    Status instruction(const pim::Instruction& made) override {
        if (made.opcode == pim::Opcode::mac_abk) (after_ ? sums : scores) |= made.mask;
        return {};
    }
    Status hub(const pim::HubCall& call) override {
        if (call.hub.op == pim::HubOp::softmax_block) after_ = true;
        return {};
    }
    std::uint32_t scores = 0;
    std::uint32_t sums = 0;

  private:
    bool after_ = false;
};

TEST(attention_plan, all_channels_work_in_tcp_and_one_for_each_head_in_hfp) {
    for (const HeadPartition partition : {HeadPartition::hfp, HeadPartition::tcp}) {
        const Compiled made = compile(shape_of(2, 1, 128), with(partition, 16));
        ChannelCount count;
        const std::vector<pim::RowTable> tables(4, pim::RowTable::identity(0, 64));
        ASSERT_TRUE(pim::Expander(made.program).run_all(257, tables, count).ok());
        const int expected = partition == HeadPartition::tcp ? 16 : 2;
        EXPECT_EQ(std::popcount(count.scores), expected);
        EXPECT_EQ(std::popcount(count.sums), expected);
    }
}

TEST(attention_plan, impossible_options_are_refused) {
    const auto refused = [](AttentionShape shape, AttentionOptions options,
                            std::uint32_t scratch = 12000) {
        const auto plan = plan_rounds(shape, options, {.scratch_tiles = scratch});
        return plan.ok() ? std::string() : plan.error().message();
    };
    AttentionOptions options = with(HeadPartition::tcp);
    EXPECT_THAT(refused(shape_of(0, 1, 128), options), HasSubstr("KV heads is 0"));
    EXPECT_THAT(refused(shape_of(1, 65, 128), options), HasSubstr("allowed: 1 to 64"));
    EXPECT_THAT(refused(shape_of(1, 1, 1025), options), HasSubstr("allowed: 1 to 1024"));
    EXPECT_THAT(refused(shape_of(1, 8, 128), options, 100), HasSubstr("100 are free"));
    options.block_tokens = 1000;
    EXPECT_THAT(refused(shape_of(1, 1, 128), options), HasSubstr("multiples of 4096"));
    options = with(HeadPartition::tcp);
    options.transfer_tiles = 48;
    EXPECT_THAT(refused(shape_of(1, 1, 128), options), HasSubstr("a divisor of 64"));
}

}  // namespace
}  // namespace memside::compiler
