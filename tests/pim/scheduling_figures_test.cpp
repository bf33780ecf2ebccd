// Hand-scheduled examples, the tables of docs/pim-scheduling.md, and closed forms.
#include "pim/scheduling_figures.h"

#include <fstream>
#include <sstream>

#include "pim/overlap_programs.h"
#include "pim/overlap_scheduler.h"
#include "pim/schedule_drawing.h"
#include "pim/score_programs.h"
#include "pim/worked_example.h"

namespace memside::pim {
namespace {

std::string contents(const std::string& path) {
    std::stringstream buffer;
    buffer << std::ifstream(fmt::format("{}/{}", MEMSIDE_SOURCE_DIR, path)).rdbuf();
    return buffer.str();
}

TEST(ScheduleDrawing, every_drawing_is_what_the_scheduler_does) {
    for (const Drawing& drawing : schedule_drawings()) {
        EXPECT_EQ(contents(fmt::format("tests/pim/schedules/{}.txt", drawing.name)),
                  draw_schedule(drawing.program, shipped_timing(), drawing.scheduler))
            << drawing.name;
    }
}

TEST(SchedulingFigures, the_document_has_the_tables_of_this_build) {
    const std::string document = contents("docs/pim-scheduling.md");
    for (const auto& [name, table] : scheduling_figures()) {
        EXPECT_THAT(document, testing::HasSubstr(
                                  fmt::format("<!-- table: {} -->\n{}<!-- end -->", name, table)));
    }
}

// Cycles of the commands on channel 31.
std::vector<Cycle> cycles_of(const Program& program, Scheduler scheduler, Command command,
                             Cycle* end) {
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh = RefreshMode::off;
    OverlapLog log;
    const auto run = run_overlapped(program, shipped_timing(), options, &log);
    *end = run->cycles;
    std::vector<Cycle> cycles;
    for (const IssuedCommand& issued : log.channels[31]) {
        if (issued.command == command) cycles.push_back(issued.cycle);
    }
    return cycles;
}

Program drawn(std::string_view name) {
    for (const Drawing& drawing : schedule_drawings()) {
        if (drawing.name == name) return drawing.program;
    }
    return {};
}

// By hand. WRGB 1; ACT16 arrives at 3 and goes first, so WRGB 4, 6 and WRMAC16 8. MACs 56 after
// ACT16: 59, 61, 63. RDMAC16 2 after the last MAC: 65. The next WRMAC16 5 later: 70; its MACs 3
// after that: 73, 75, 77. RDMAC16 14 after WRMAC16: 84. It completes 2 later, the end 1 after
// that: 87.
TEST(ScheduleByHand, dcs_runs_the_small_gemv) {
    Cycle end = 0;
    const Program program = drawn("gemv-dcs");
    EXPECT_THAT(cycles_of(program, Scheduler::dcs, Command::wrgb, &end),
                testing::ElementsAre(1, 4, 6));
    EXPECT_THAT(cycles_of(program, Scheduler::dcs, Command::act16, &end), testing::ElementsAre(3));
    EXPECT_THAT(cycles_of(program, Scheduler::dcs, Command::wrmac16, &end),
                testing::ElementsAre(8, 70));
    EXPECT_THAT(cycles_of(program, Scheduler::dcs, Command::mac16, &end),
                testing::ElementsAre(59, 61, 63, 73, 75, 77));
    EXPECT_THAT(cycles_of(program, Scheduler::dcs, Command::rdmac16, &end),
                testing::ElementsAre(65, 84));
    EXPECT_EQ(end, 87u);
}

// By hand. TMODs hand GBuf's lower half (1), OBuf's even half (2; WR_BIAS arrives) to the
// transfers. ACT16 3. The odd half waits for WR_BIAS, which arrives when RD_MAC is decoded at 4:
// TMOD 5. WRGB 33, 35, 37, WRMAC16 39. They complete at 40 and 42 and the halves go back: TMOD 40
// and 42, usable at 72 and 74. MACs 74, 76, 78, complete at 79: TMOD 79, RDMAC16 111, WRMAC16 5
// later at 116 and complete at 119: TMOD 119, MACs 151, 153, 155: TMOD 156, RDMAC16 188; it
// completes at 190.
TEST(ScheduleByHand, ping_pong_runs_the_small_gemv) {
    Cycle end = 0;
    const Program program = drawn("gemv-ping-pong");
    EXPECT_THAT(cycles_of(program, Scheduler::ping_pong, Command::wrgb, &end),
                testing::ElementsAre(33, 35, 37));
    EXPECT_THAT(cycles_of(program, Scheduler::ping_pong, Command::wrmac16, &end),
                testing::ElementsAre(39, 116));
    EXPECT_THAT(cycles_of(program, Scheduler::ping_pong, Command::mac16, &end),
                testing::ElementsAre(74, 76, 78, 151, 153, 155));
    EXPECT_THAT(cycles_of(program, Scheduler::ping_pong, Command::rdmac16, &end),
                testing::ElementsAre(111, 188));
    EXPECT_THAT(cycles_of(program, Scheduler::ping_pong, Command::tmod, &end),
                testing::ElementsAre(1, 2, 5, 40, 42, 79, 119, 156));
    EXPECT_EQ(end, 191u);
}

// By hand: TMOD 1, WRGB 33, 35, 37, WRMAC16 39, TMOD 40, ACT16 72, MACs 128 to 132, TMOD 134,
// RDMAC16 166, answered 168, decoded on from 169: WRMAC16 171, TMOD 172, MACs 204 to 208, TMOD 210,
// RDMAC16 242, answered 244, EOC decoded 245.
TEST(ScheduleByHand, in_order_runs_the_small_gemv) {
    SimulationOptions options;
    options.refresh = RefreshMode::off;
    EXPECT_EQ(simulate(drawn("gemv-in-order"), shipped_timing(), options)->cycles, 246u);
}

// 64 MACs of 2 cycles; 128 cycles of WRGB, 86 for each of eight heads and 88 for the row.
TEST(ScoreKernel, in_order_takes_904_cycles_a_row) {
    SimulationOptions options;
    options.refresh = RefreshMode::off;
    const auto cycles = [&](std::uint32_t tokens) {
        ScoreShape shape;
        shape.tokens = tokens;
        return simulate(score_program(shape), shipped_timing(), options)->cycles;
    };
    EXPECT_EQ(cycles(16384) - cycles(8192), 16u * 904);
}

// Without row reuse a row of 64 columns costs as in row_macabk64_miss: nRCDRDMAC 56, 63 x nCCDS,
// nRTP 12, nRP 32, so 226, however many transfers stand behind it.
TEST(ScoreKernel, dcs_is_bound_by_rows_once_transfers_are_behind) {
    SimulationOptions options;
    options.refresh = RefreshMode::off;
    options.scheduler = Scheduler::dcs;
    const auto cycles = [&](std::uint32_t tokens) {
        ScoreShape shape;
        shape.tokens = tokens;
        shape.order = ScoreOrder::whole;
        return simulate(score_program(shape), shipped_timing(), options)->cycles;
    };
    EXPECT_EQ(cycles(16384) - cycles(8192), 16u * 226);
}

TEST(WorkedExample, static_control_is_a_sum) {
    // W W W: 2 + 3; M M M: 2 + 7; R: 4, twice the last two.
    EXPECT_EQ(static_cycles("WWWMMMRMMMR", {3, 7, 4, 1}), 2 + 3 + 2 * (2 + 7 + 4));
}

// W 0 1 2; M3 at 3, M4, M5; M7 to M9 follow at once on their own output, R6 in the first free cycle
// after M5 completed at 12.
TEST(WorkedExample, dcs_overlaps_the_second_output_with_the_first) {
    EXPECT_THAT(dcs_schedule("WWWMMMRMMMR", {3, 7, 4, 1}),
                testing::ElementsAre(0, 1, 2, 3, 4, 5, 12, 6, 7, 8, 15));
    EXPECT_EQ(dcs_cycles("WWWMMMRMMMR", {3, 7, 4, 1}), 19);
}

}  // namespace
}  // namespace memside::pim
