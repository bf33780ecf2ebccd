#include "pim/golden_check.h"

#include <cmath>

namespace memside::pim {
namespace {

// In `near` traces the reference may have lost a read or a write of each channel.
void expect_near(const GoldenTrace& trace, const SimulationResult& result) {
    const auto theirs = static_cast<double>(trace.cycles);
    EXPECT_LE(std::abs(static_cast<double>(result.cycles) - theirs), 0.01 * theirs)
        << trace.name << ": " << result.cycles << " cycles for " << trace.cycles;
    for (const Command command : {Command::rd, Command::wr}) {
        const auto index = static_cast<std::size_t>(command);
        const auto ours = static_cast<std::int64_t>(result.commands()[index]);
        EXPECT_LE(std::abs(ours - static_cast<std::int64_t>(trace.commands[index])), 32)
            << trace.name << ": " << command_text(result.commands());
    }
}

}  // namespace

std::size_t expect_golden_traces(const RunProgram& run) {
    std::size_t compared = 0;
    for (const GoldenTrace& trace : read_golden_traces()) {
        if (trace.match == Match::no) continue;
        ++compared;
        const SimulationResult result = run(trace.instructions);
        if (trace.match == Match::near) {
            expect_near(trace, result);
            continue;
        }
        EXPECT_EQ(result.cycles, trace.cycles) << trace.name;
        EXPECT_EQ(command_text(result.commands()), command_text(trace.commands)) << trace.name;
    }
    return compared;
}

std::size_t expect_golden_programs(const std::vector<GoldenProgram>& programs,
                                   const RunProgram& run) {
    std::size_t compared = 0;
    for (const GoldenProgram& program : programs) {
        if (program.match == Match::no) continue;
        ++compared;
        EXPECT_EQ(run(program.instructions).cycles, program.cycles) << program.lines;
    }
    return compared;
}

}  // namespace memside::pim
