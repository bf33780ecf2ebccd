// What validation refuses, and what it says.
#include "pim/dynamic/dynamic_program.h"

#include <functional>

#include "pim/dynamic/attention_program.h"

namespace memside::pim {
namespace {

using Change = std::function<void(DynamicProgram&)>;

// A loop over 64 tokens with one MAC of a request's row, column and opsize moving.
DynamicProgram small() {
    DynamicProgram program;
    program.max_tokens = 1000;
    program.regions = {{"k", 20, true, 0}};
    DynamicItem mac = DynamicItem::of({.opcode = Opcode::mac_abk,
                                       .written = optional_column | optional_gbuf,
                                       .mask = 0xf,
                                       .row = 1},
                                      {{Stride::Operand::row, 1, 1}});
    mac.virtual_row = true;
    mac.opsize_span = 16;
    program.items = {DynamicItem::token_loop(64), mac, DynamicItem::end()};
    program.entries = {
        {"e", OpType::qkt, Partitioning::token, Communication::none, 0, 0xff, 0, 3, 0}};
    return program;
}

std::string fault(const Change& change) {
    DynamicProgram program = small();
    change(program);
    const Status status = validate(program, "p");
    return status.ok() ? "" : status.error().message();
}

TEST(DynamicProgram, a_sound_program_passes) {
    EXPECT_EQ(fault([](DynamicProgram&) {}), "");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.max_tokens = 0;
                  p.regions[0].rows = 0;
              }),
              "");
}

TEST(DynamicProgram, loops_must_nest) {
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items.pop_back(); }), "p: a loop has no end");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items.push_back(DynamicItem::end()); }),
              "p: item 3: an end without a loop");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items.erase(p.items.begin() + 1); }),
              "p: item 1: the loop has no instruction");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[0] = DynamicItem::loop(0); }),
              "p: item 0: a loop of 0 iterations");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[0].amount = 0; }),
              "p: item 0: a loop over pieces of 0 tokens");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items.insert(p.items.begin(), 17, DynamicItem::token_loop(900));
                  p.items.insert(p.items.end(), 17, DynamicItem::end());
              }),
              "p: item 16: loops nest deeper than 16 levels");
}

TEST(DynamicProgram, operands_stay_in_range_in_every_iteration) {
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[1].instruction.row = 5; }),
              "p: entry 0: item 1: virtual row 20; region 0 has 20");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items[1].modifications.push_back({Stride::Operand::column, 1, 5});
              }),
              "p: item 1: col 75 is above 63 in the loop's last iteration");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[1].modifications[0].depth = 2; }),
              "p: item 1: row+= of loop @2, but 1 are open here");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items[1].modifications.push_back({Stride::Operand::row, 1, 2});
              }),
              "p: item 1: row+= of loop @1 is given twice");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[1].modifications[0].step = -1; }),
              "p: item 1: virtual row -14 is below 0");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items[1].modifications.push_back({Stride::Operand::gpr, 1, 1});
              }),
              "p: item 1: AiM MAC_ABK has no gpr");
}

TEST(DynamicProgram, what_follows_tokens_has_a_bound) {
    EXPECT_EQ(fault([](DynamicProgram& p) { p.items[0].amount = 64 * 16 + 1; }), "");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items[0].amount = 64 * 16 + 1;
                  p.max_tokens = 0;
              }),
              "p: item 1: the opsize of a piece of 1025 tokens, 16 each, is above 64");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items = {p.items[1]};
                  p.items[0].modifications.clear();
                  p.entries[0].item_count = 1;
                  p.max_tokens = 0;
              }),
              "p: item 0: the opsize follows tokens without a bound");
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.max_tokens = 0;
                  p.items[1].modifications.push_back({Stride::Operand::out, 1, 1});
              }),
              "p: item 1: out grows with the tokens without a bound");
}

TEST(DynamicProgram, the_host_takes_no_part) {
    EXPECT_EQ(fault([](DynamicProgram& p) {
                  p.items.push_back(DynamicItem::of({.opcode = Opcode::eoc}));
              }),
              "p: item 3: AiM EOC: the host takes no part in a dynamic program");
}

TEST(DynamicProgram, entries_hold_whole_loops_and_know_their_regions_and_channels) {
    EXPECT_EQ(fault([](DynamicProgram& p) { p.entries[0].item_count = 2; }),
              "p: entry 0: its items begin or end inside a loop");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.entries[0].item_count = 4; }),
              "p: entry 0: items 0 to 4; the program has 3");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.entries[0].region_base = 1; }),
              "p: entry 0: item 1: region 1; the program has 1");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.entries[0].channel_mask = 0x7; }),
              "p: entry 0: item 1: mask 0xf is not within the entry's 0x7");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.channels = 2; }),
              "p: item 1: mask 0xf addresses channels beyond the program's 2");
}

TEST(DynamicProgram, regions_lie_within_the_banks) {
    EXPECT_EQ(fault([](DynamicProgram& p) { p.regions.push_back({"w", 0, false, 0}); }),
              "p: region 1: no rows");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.regions.push_back({"w", 2, false, 16383}); }),
              "p: region 1: row 16383 and the 1 after it end above 16383");
    EXPECT_EQ(fault([](DynamicProgram& p) { p.regions[0].name = "a\n"; }),
              "p: region 0: the name is too long or has control characters");
}

TEST(DynamicProgram, hub_instructions_stay_within_the_registers_with_every_piece) {
    const auto with = [](const HubInstruction& hub) {
        return [hub](DynamicProgram& p) { p.items[1] = DynamicItem::of(hub); };
    };
    HubInstruction block;
    block.op = HubOp::softmax_block;
    block.gpr = gpr_entries - 4;
    EXPECT_EQ(fault(with(block)), "");
    block.gpr += 1;
    EXPECT_EQ(fault(with(block)), "p: item 1: gpr 16381 and the 3 after it end above 16383");
    block.gpr = 0;
    block.granule = 24;
    EXPECT_EQ(fault(with(block)), "p: item 1: granule 24 is not a multiple of 16");
    HubInstruction merge;
    merge.op = HubOp::merge;
    EXPECT_EQ(fault(with(merge)), "p: item 1: merge is made by expansion alone");
    HubInstruction rope;
    rope.op = HubOp::rope;
    rope.head_dim = 3;
    rope.theta = 1;
    EXPECT_EQ(fault(with(rope)), "p: item 1: head_dim 3 is odd; rotation works on pairs");
    HubInstruction append;
    append.op = HubOp::append_key;
    append.head_dim = 16;
    append.head_dim = 1025;
    EXPECT_EQ(fault(with(append)), "p: item 1: head_dim 1025 is above 1024: a key lies in one row");
    append.head_dim = 16;
    append.ways = 32;
    append.heads = 2;
    EXPECT_EQ(fault(with(append)),
              "p: item 1: 2 heads of 32 channels each are more than 32 channels");
}

}  // namespace
}  // namespace memside::pim
