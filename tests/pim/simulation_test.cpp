#include "pim/simulation.h"

#include "pim/shipped_timing.h"

namespace memside::pim {
namespace {

std::string error_of(const Program& program, const SimulationOptions& options = {}) {
    const auto result = simulate(program, shipped_timing(), options);
    return result.ok() ? "" : result.error().message();
}

Instruction mac(std::uint32_t row, std::uint32_t opsize) {
    return {.opcode = Opcode::mac_abk, .opsize = opsize, .mask = 1, .row = row};
}

TEST(SimulationResult, commands_are_summed_over_channels) {
    SimulationResult result;
    result.channels[3].commands[static_cast<std::size_t>(Command::act)] = 5;
    result.channels[31].commands[static_cast<std::size_t>(Command::act)] = 7;
    EXPECT_EQ(result.commands()[static_cast<std::size_t>(Command::act)], 12u);
}

TEST(SimulationResult, utilization_is_a_mean_over_the_addressed_channels) {
    SimulationResult result;
    result.cycles = 904;
    EXPECT_EQ(result.mac_utilization(shipped_timing()), 0);
    for (const unsigned channel : {2u, 9u}) {
        result.channels[channel].addressed = true;
        result.channels[channel].commands[static_cast<std::size_t>(Command::mac16)] = 64;
    }
    EXPECT_DOUBLE_EQ(result.mac_utilization(shipped_timing()), 128.0 / 904);
}

TEST(Simulation, operands_out_of_range_are_refused_with_the_instruction) {
    EXPECT_THAT(error_of({.instructions = {mac(0, 1), mac(16384, 1)}, .loops = {}, .strides = {}}),
                testing::AllOf(testing::HasSubstr("instruction 1"), testing::HasSubstr("row 16384"),
                               testing::HasSubstr("16383")));
    EXPECT_THAT(error_of({.instructions = {mac(0, 65)}, .loops = {}, .strides = {}}),
                testing::HasSubstr("opsize 65"));
    EXPECT_THAT(error_of({.instructions = {mac(0, 0)}, .loops = {}, .strides = {}}),
                testing::HasSubstr("opsize"));
}

TEST(Simulation, a_stride_that_leaves_the_bank_is_refused) {
    Program program{.instructions = {mac(16380, 1)},
                    .loops = {{0, 1, 5}},
                    .strides = {{0, 0, Stride::Operand::row, 1}}};
    EXPECT_THAT(error_of(program), testing::HasSubstr("row 16384"));
    program.strides[0].step = -4096;
    EXPECT_THAT(error_of(program), testing::HasSubstr("row -4"));
}

TEST(Simulation, refresh_that_leaves_no_time_is_refused) {
    Timing timing = shipped_timing();
    timing.nREFI = timing.nRFCab + timing.nRP;
    const auto result = simulate({}, timing, {});
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().message(), testing::HasSubstr("no time"));
}

TEST(Simulation, a_scheduler_that_is_not_there_is_refused) {
    EXPECT_THAT(error_of({}, {.scheduler = static_cast<Scheduler>(77)}),
                testing::HasSubstr("scheduler"));
}

}  // namespace
}  // namespace memside::pim
