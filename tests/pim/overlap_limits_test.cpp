// Closed forms and bounds of `ping-pong` and `dcs`.
#include <rapidcheck/gtest.h>

#include "pim/overlap_programs.h"
#include "pim/overlap_scheduler.h"

namespace memside::pim {
namespace {

Cycle cycles(const Program& program, Scheduler scheduler, const Timing& timing) {
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh = RefreshMode::off;
    const auto run = simulate(program, timing, options);
    EXPECT_TRUE(run.ok()) << run.error().message();
    return run.ok() ? run->cycles : 0;
}

Program repeated(const Instruction& instruction, std::uint32_t count, std::int32_t row_step = 0) {
    Program program{.instructions = {instruction}, .loops = {{0, 1, count}}, .strides = {}};
    if (row_step != 0) program.strides = {{0, 0, Stride::Operand::row, row_step}};
    return program;
}

TEST(OverlapLimits, an_empty_program_answers_in_cycle_2) {
    for (const Scheduler scheduler : {Scheduler::ping_pong, Scheduler::dcs}) {
        EXPECT_EQ(cycles({}, scheduler, shipped_timing()), 2u);
    }
}

// The golden figures of row_macabk64_hit and row_macabk64_miss: nothing to overlap.
TEST(OverlapLimits, macs_alone_take_what_they_take_in_order) {
    const Instruction mac{.opcode = Opcode::mac_abk, .opsize = 64, .mask = 1};
    for (const Scheduler scheduler : {Scheduler::ping_pong, Scheduler::dcs}) {
        EXPECT_EQ(cycles(repeated(mac, 512), scheduler, shipped_timing()), 57u + 2 * 32767 + 2);
        EXPECT_EQ(cycles(repeated(mac, 512, 1), scheduler, shipped_timing()),
                  1u + 511 * 226 + 56 + 126 + 2);
    }
}

// io_wrgb64: 33 + 2 x 2,047 + 4 with the mode switch, which dcs does not need.
TEST(OverlapLimits, transfers_alone_take_nccds_each) {
    const Program program = repeated({.opcode = Opcode::wr_gb, .opsize = 64, .mask = 1}, 32);
    EXPECT_EQ(cycles(program, Scheduler::in_order, shipped_timing()), 33u + 2 * 2047 + 4);
    EXPECT_EQ(cycles(program, Scheduler::dcs, shipped_timing()), 1u + 2 * 2047 + 4);
    // Each half is a turn that never ends, but the upper one is handed over a cycle later.
    EXPECT_EQ(cycles(program, Scheduler::ping_pong, shipped_timing()), 33u + 2 * 2047 + 4);
}

// The one case in which dcs loses by its own rule: a write waits until the one before it in the
// same entry has completed (3 cycles), where in order they follow at nCCDS.
TEST(OverlapLimits, writes_of_one_entry_wait_for_completion_under_dcs) {
    const Program program = repeated({.opcode = Opcode::wr_gb, .opsize = 1, .mask = 1}, 2048);
    EXPECT_EQ(cycles(program, Scheduler::in_order, shipped_timing()), 33u + 2 * 2047 + 4);
    EXPECT_EQ(cycles(program, Scheduler::ping_pong, shipped_timing()), 33u + 2 * 2047 + 4);
    EXPECT_EQ(cycles(program, Scheduler::dcs, shipped_timing()), 1u + 3 * 2047 + 4);
}

// Two transfers to another entry behind MACs of an open row: in the odd cycles between them.
TEST(OverlapLimits, dcs_hides_transfers_between_macs) {
    const Instruction mac{.opcode = Opcode::mac_abk, .opsize = 32, .mask = 1};
    const Instruction in{.opcode = Opcode::wr_gb, .gbuf = 32, .opsize = 32, .mask = 1};
    EXPECT_EQ(cycles({.instructions = {mac, in}, .loops = {}, .strides = {}}, Scheduler::dcs,
                     shipped_timing()),
              cycles({.instructions = {mac}, .loops = {}, .strides = {}}, Scheduler::dcs,
                     shipped_timing()));
}

RC_GTEST_PROP(OverlapLimits, dcs_does_not_know_the_mode_switch, ()) {
    const Program program = random_overlap_program({.for_data = true});
    Timing slow = shipped_timing();
    slow.nMODCH = 100'000;
    RC_ASSERT(cycles(program, Scheduler::dcs, slow) ==
              cycles(program, Scheduler::dcs, shipped_timing()));
}

// One command a cycle, nCCDS for each MAC, and each refresh that is due.
RC_GTEST_PROP(OverlapLimits, no_run_is_shorter_than_its_busiest_part, ()) {
    const Program program = random_overlap_program({.for_data = true});
    SimulationOptions options;
    options.scheduler = *rc::gen::element(Scheduler::ping_pong, Scheduler::dcs);
    const auto run = simulate(program, shipped_timing(), options);
    if (!run.ok()) RC_FAIL(run.error().message());
    for (const ChannelResult& channel : run->channels) {
        std::uint64_t all = 0;
        for (const std::uint64_t count : channel.commands) all += count;
        const std::uint64_t macs = channel.commands[static_cast<std::size_t>(Command::mac16)];
        RC_ASSERT(run->cycles >= all);
        RC_ASSERT(run->cycles >= 2 * macs);
        RC_ASSERT(channel.activity_cycles[static_cast<std::size_t>(Activity::mac)] >= 2 * macs);
        std::uint64_t accounted = 0;
        for (const std::uint64_t of_activity : channel.activity_cycles) accounted += of_activity;
        RC_ASSERT(accounted == run->cycles);
    }
}

TEST(OverlapLimits, an_accumulator_beyond_the_output_buffer_is_refused) {
    const Program program{.instructions = {{.opcode = Opcode::rd_mac, .out = 64, .mask = 1}},
                          .loops = {},
                          .strides = {}};
    SimulationOptions options;
    for (const Scheduler scheduler : {Scheduler::ping_pong, Scheduler::dcs}) {
        options.scheduler = scheduler;
        const auto run = simulate(program, shipped_timing(), options);
        ASSERT_FALSE(run.ok());
        EXPECT_THAT(run.error().message(), testing::AllOf(testing::HasSubstr("instruction 1"),
                                                          testing::HasSubstr("0 to 63")));
    }
}

TEST(OverlapLimits, the_trace_has_every_command) {
    const Program program = repeated({.opcode = Opcode::mac_abk, .opsize = 8, .mask = 3}, 20, 1);
    SimulationOptions options;
    options.scheduler = Scheduler::dcs;
    options.record_trace = true;
    const auto run = simulate(program, shipped_timing(), options);
    std::array<std::uint64_t, command_count> counted{};
    for (const TraceEvent& event : run->trace) {
        counted[static_cast<std::size_t>(event.command)] += event.repeats;
    }
    EXPECT_EQ(counted, run->commands());
}

}  // namespace
}  // namespace memside::pim
