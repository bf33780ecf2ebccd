// The in-order engine against the golden figures and figures by hand.
#include "pim/in_order.h"

#include <numeric>

#include "pim/channel_groups.h"
#include "pim/golden_check.h"
#include "pim/shipped_timing.h"
#include "pim/tick_comparison.h"

namespace memside::pim {
namespace {

constexpr std::uint32_t one = 1u << 31;  // channel 0
constexpr std::uint32_t all = 0xffffffff;

SimulationResult run(const Program& program, const SimulationOptions& options) {
    const auto result = simulate(program, shipped_timing(), options);
    EXPECT_TRUE(result.ok());
    return result.ok() ? *result : SimulationResult{};
}
SimulationResult run(const std::vector<Instruction>& instructions) {
    return run({.instructions = instructions, .loops = {}, .strides = {}},
               {.refresh = RefreshMode::off});
}
std::uint64_t cycles(const std::vector<Instruction>& instructions,
                     RefreshMode refresh = RefreshMode::off) {
    return run({.instructions = instructions, .loops = {}, .strides = {}}, {.refresh = refresh})
        .cycles;
}

std::vector<Instruction> repeated(std::size_t count, const Instruction& instruction) {
    return std::vector<Instruction>(count, instruction);
}
Instruction mac(std::uint32_t opsize, std::uint32_t row = 0, std::uint32_t mask = one) {
    return {.opcode = Opcode::mac_abk, .opsize = opsize, .mask = mask, .row = row};
}
// `count` columns of one row, as few instructions as it takes.
std::vector<Instruction> mac_columns(std::uint32_t count) {
    std::vector<Instruction> list = repeated(count / 64, mac(64));
    if (count % 64 != 0) list.push_back(mac(count % 64));
    return list;
}
std::uint64_t count(const ChannelResult& channel, Command command) {
    return channel.commands[static_cast<std::size_t>(command)];
}
std::uint64_t spent(const ChannelResult& channel, Activity activity) {
    return channel.activity_cycles[static_cast<std::size_t>(activity)];
}

TEST(InOrder, all_golden_traces_come_out) {
    EXPECT_EQ(expect_golden_traces([](const auto& program) { return run(program); }), 90u);
}

TEST(InOrder, all_golden_pairs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_pairs(),
                                     [](const auto& program) { return run(program); }),
              229u);
}

TEST(InOrder, all_golden_programs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_programs(),
                                     [](const auto& program) { return run(program); }),
              507u);
}

TEST(InOrder, by_hand_an_end_alone_takes_two_cycles) {
    EXPECT_EQ(cycles({{.opcode = Opcode::eoc}}), 2u);
    EXPECT_EQ(cycles({}), 2u);
}

// TMOD at 1, the first entry at 33, one every 2; done 3 later, answered the cycle after.
TEST(InOrder, by_hand_buffer_writes_follow_every_two_cycles) {
    for (const std::uint32_t n : {1u, 2u, 33u, 34u, 35u, 2048u}) {
        EXPECT_EQ(cycles(repeated(n, {.opcode = Opcode::wr_gb, .mask = one})), 33 + 2 * (n - 1) + 4)
            << n;
    }
}

// ACT16 at 1, the first column at 57, one every 2.
TEST(InOrder, by_hand_columns_of_an_open_row_follow_every_two_cycles) {
    EXPECT_EQ(cycles(repeated(512, mac(64))), 57 + 2 * 32767 + 2u);
}

// nRAS < 56 + 126 + nRTP, so a row takes 56 + 126 + 12 + 32 = 226.
TEST(InOrder, by_hand_a_new_row_each_time_takes_226_cycles) {
    std::vector<Instruction> list;
    for (std::uint32_t row = 0; row < 512; ++row) list.push_back(mac(64, row));
    EXPECT_EQ(cycles(list), 1 + 511 * 226 + 56 + 126 + 2u);
}

// Columns at 57, 59 .. 3799; the refresh is due at 3800. PREA nRTP after the last, REF nRP later,
// ACT16 after nRFCab, the next column nRCDRDMAC later: 3799 + 12 + 32 + 240 + 56 = 4139.
TEST(InOrder, by_hand_a_refresh_comes_between_two_columns) {
    EXPECT_EQ(cycles(mac_columns(1872), RefreshMode::all_bank), 3799 + 2u);
    EXPECT_EQ(cycles(mac_columns(1873), RefreshMode::all_bank), 4139 + 2u);
}

// A row that was opened for a column is used before it is closed: ACT16 at 3790, due at 3800, the
// column at 3846, PREA at 3858, REF at 3890.
TEST(InOrder, by_hand_a_refresh_waits_for_the_column_whose_row_was_opened) {
    std::vector<Instruction> list = repeated(3789, {.opcode = Opcode::write_gpr});
    list.push_back(mac(1));
    const SimulationResult result =
        run({.instructions = list, .loops = {}, .strides = {}}, {.record_trace = true});
    EXPECT_EQ(result.cycles, 3846 + 2u);
    EXPECT_EQ(count(result.channels[0], Command::act16), 1u);
    EXPECT_EQ(count(result.channels[0], Command::ref_all_bank), 0u);
    EXPECT_EQ(count(result.channels[1], Command::ref_all_bank), 1u);
}

// The bank of the k-th refresh is (k - 1) mod 16, due at k x 3,800 / 16 = 237.5 k. The first is due
// at 237, two after a column: PRE nRTP after the column, REFpb nRP later, ACT16 after nRFCpb.
TEST(InOrder, by_hand_a_refresh_of_one_bank_stops_commands_of_all_banks) {
    EXPECT_EQ(cycles(mac_columns(90), RefreshMode::per_bank), 235 + 2u);
    const std::uint64_t after = cycles(mac_columns(91), RefreshMode::per_bank);
    EXPECT_EQ(after, 235 + 12 + 32 + 120 + 56 + 2u);
}

// Columns at 57, 59 ..: REFpb takes the place of one at 237, and fits between two at 475.
TEST(InOrder, by_hand_a_refresh_of_one_bank_leaves_the_others_alone) {
    const Instruction column{
        .opcode = Opcode::mac_sbk, .bank = 5, .opsize = 64, .mask = one, .row = 3};
    const std::vector<Instruction> list = repeated(4, column);
    EXPECT_EQ(cycles(list, RefreshMode::per_bank), cycles(list) + 1);
}

TEST(InOrder, idle_channels_are_refreshed_too) {
    const std::vector<Instruction> list = repeated(3 * 3800, {.opcode = Opcode::write_gpr});
    for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
        const SimulationResult result =
            run({.instructions = list, .loops = {}, .strides = {}}, {.refresh = mode});
        const bool all_banks = mode == RefreshMode::all_bank;
        for (const ChannelResult& channel : result.channels) {
            EXPECT_FALSE(channel.addressed);
            EXPECT_EQ(count(channel, all_banks ? Command::ref_all_bank : Command::ref_per_bank),
                      all_banks ? 3u : 48u);
        }
    }
}

// ACT16 at 1, columns 57 .. 183, the end at 185.
TEST(InOrder, by_hand_each_cycle_counts_for_one_activity) {
    const SimulationResult result = run(repeated(1, mac(64)));
    EXPECT_EQ(result.cycles, 185u);
    EXPECT_EQ(spent(result.channels[0], Activity::row), 56u);
    EXPECT_EQ(spent(result.channels[0], Activity::mac), 128u);
    EXPECT_EQ(spent(result.channels[0], Activity::waiting), 1u);
    EXPECT_EQ(spent(result.channels[1], Activity::waiting), 185u);
}

// ACT at 1, WR at 29, done at 37; ACT at 1, RD at 37, done at 89.
TEST(InOrder, by_hand_the_end_waits_for_a_host_access) {
    EXPECT_EQ(cycles({{.opcode = Opcode::wr_sbk, .bank = 5, .mask = one, .row = 3}}), 38u);
    EXPECT_EQ(cycles({{.opcode = Opcode::write_mem, .bank = 5, .row = 3}}), 38u);
    EXPECT_EQ(cycles({{.opcode = Opcode::rd_sbk, .bank = 5, .mask = one, .row = 3}}), 90u);
}

// WR at 29 and 31 of 8 cycles; RD nCWL + nBL + nWTRL = 19 after the write to its own bank.
TEST(InOrder, by_hand_a_read_follows_the_write_to_its_place) {
    const Instruction write{.opcode = Opcode::write_mem, .bank = 5, .row = 3};
    const Instruction read{.opcode = Opcode::read_mem, .bank = 5, .row = 3};
    const SimulationResult result = run({write, read});
    EXPECT_EQ(count(result.channels[0], Command::rd), 1u);
    EXPECT_EQ(result.cycles, 29 + 19 + 52 + 1u);
    EXPECT_EQ(cycles({read, write}), 37 + 50 + 8 + 1u);
}

// The row of the activation function changes with configuration register 2, not with the others.
TEST(InOrder, another_activation_function_opens_another_row) {
    const auto chain = [](std::uint32_t config) {
        return run({{.opcode = Opcode::af, .mask = one},
                    {.opcode = Opcode::write_cfr, .gpr = config, .gpr2 = 1},
                    {.opcode = Opcode::af, .mask = one}});
    };
    EXPECT_EQ(count(chain(2).channels[0], Command::act16), 2u);
    EXPECT_EQ(count(chain(1).channels[0], Command::act16), 1u);
}

TEST(InOrder, nothing_after_the_end_counts) {
    EXPECT_EQ(cycles({mac(1), {.opcode = Opcode::eoc}, mac(64, 9)}), cycles({mac(1)}));
}

TEST(InOrder, loops_cost_what_they_unroll_to) {
    const Program looped{.instructions = {{.opcode = Opcode::wr_bias, .mask = all},
                                          mac(8, 2, all),
                                          {.opcode = Opcode::rd_mac, .mask = all}},
                         .loops = {{0, 3, 40}, {1, 2, 3}},
                         .strides = {{1, 0, Stride::Operand::row, 2}}};
    std::vector<Instruction> unrolled;
    for (Cursor cursor(looped); !cursor.done(); cursor.next()) unrolled.push_back(*cursor);
    EXPECT_EQ(unrolled.size(), 40u * 5);
    const SimulationResult expected =
        run({.instructions = unrolled, .loops = {}, .strides = {}}, {});
    const SimulationResult result = run(looped, {});
    EXPECT_EQ(result.cycles, expected.cycles);
    EXPECT_EQ(result.commands(), expected.commands());
    EXPECT_EQ(difference_from_ticking(unrolled, RefreshMode::all_bank), "");
}

TEST(InOrder, trace_events_do_not_overlap_and_have_every_command) {
    std::vector<Instruction> list;
    for (std::uint32_t row = 0; row < 40; ++row) {
        list.push_back({.opcode = Opcode::wr_gb, .opsize = 20, .mask = row % 2 == 0 ? all : one});
        list.push_back(mac(33, row, all));
        list.push_back({.opcode = Opcode::rd_sbk, .bank = 3, .mask = one, .row = row});
        list.push_back({.opcode = Opcode::rd_mac, .mask = all});
    }
    const SimulationResult result =
        run({.instructions = list, .loops = {}, .strides = {}}, {.record_trace = true});
    std::array<std::array<std::uint64_t, command_count>, channel_count> commands{};
    std::array<std::uint64_t, channel_count> free_from{};
    for (const TraceEvent& event : result.trace) {
        EXPECT_GE(event.start, free_from[event.channel]);
        free_from[event.channel] = event.start + event.cycles;
        EXPECT_LE(free_from[event.channel], result.cycles + 1);
        commands[event.channel][static_cast<std::size_t>(event.command)] += event.repeats;
    }
    for (unsigned c = 0; c < channel_count; ++c) {
        EXPECT_EQ(commands[c], result.channels[c].commands) << c;
    }
}

TEST(InOrder, recording_a_trace_changes_nothing_else) {
    const std::vector<Instruction> list = mac_columns(3000);
    const SimulationResult plain = run({.instructions = list, .loops = {}, .strides = {}}, {});
    const SimulationResult traced =
        run({.instructions = list, .loops = {}, .strides = {}}, {.record_trace = true});
    EXPECT_TRUE(plain.trace.empty());
    EXPECT_FALSE(traced.trace.empty());
    EXPECT_EQ(plain.cycles, traced.cycles);
    EXPECT_EQ(plain.commands(), traced.commands());
}

TEST(ChannelGroups, split_where_an_instruction_addresses_a_part_and_merge_when_alike) {
    const RunContext context(shipped_timing(), {});
    ChannelGroups groups(context);
    const RequestKind& kind = request_kind(Opcode::mac_abk);
    const auto hand = [&](std::uint32_t mask, Time time) {
        groups.for_each(
            mask, [&](InOrderChannel& group) { group.run_aim(context, kind, mac(4, 7), 7, time); });
    };
    EXPECT_EQ(groups.count(), 1u);
    hand(0xffff0000, 1);
    EXPECT_EQ(groups.count(), 2u);
    hand(0x00ffff00, 20);
    EXPECT_EQ(groups.count(), 4u);
    hand(0x000000ff, 40);
    // What differs is when ACT16 may follow, nRC after 1, 20 and 40; the first two groups agree.
    groups.merge_alike(all, 90);
    EXPECT_EQ(groups.count(), 3u);
    groups.merge_alike(all, 91);  // in vain: the next attempt is left out
    groups.merge_alike(all, 2000);
    EXPECT_EQ(groups.count(), 3u);
    groups.merge_alike(all, 2000);
    EXPECT_EQ(groups.count(), 1u);
}

}  // namespace
}  // namespace memside::pim
