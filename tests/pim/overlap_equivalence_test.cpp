// The event-driven schedulers against the ticking ones, command by command, on random programs.
#include <rapidcheck/gtest.h>

#include "pim/overlap_programs.h"
#include "pim/overlap_reference.h"
#include "pim/overlap_scheduler.h"

namespace memside::pim {
namespace {

std::string name_of(std::uint64_t cycle, Command command, std::uint64_t instruction,
                    std::uint32_t offset) {
    return fmt::format("command {} of instruction {} offset {} at {}", static_cast<int>(command),
                       instruction, offset, cycle);
}

void expect_equal(Scheduler scheduler, const Timing& timing, const RandomProgramShape& shape) {
    const Program program = random_overlap_program(shape);
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh =
        *rc::gen::element(RefreshMode::off, RefreshMode::all_bank, RefreshMode::per_bank);
    options.dcs_handover = *rc::gen::element(false, false, true);
    OverlapLog log;
    const auto fast = run_overlapped(program, timing, options, &log);
    RC_ASSERT(fast.ok());
    const ReferenceRun slow = reference_overlap(program, timing, options);
    for (unsigned channel = 0; channel < channel_count; ++channel) {
        const auto& mine = log.channels[channel];
        const auto& other = slow.channels[channel];
        for (std::size_t i = 0; i < std::min(mine.size(), other.size()); ++i) {
            const auto a =
                name_of(mine[i].cycle, mine[i].command, mine[i].instruction, mine[i].offset);
            const auto b =
                name_of(other[i].cycle, other[i].command, other[i].instruction, other[i].offset);
            if (a != b) RC_LOG() << "channel " << channel << " number " << i << "\n";
            RC_ASSERT(a == b);
        }
        RC_ASSERT(mine.size() == other.size());
    }
    RC_ASSERT(log.decoded == slow.decoded);
    RC_ASSERT(fast->cycles == slow.cycles);
    for (unsigned channel = 0; channel < channel_count; channel += 31) {
        RC_ASSERT(fast->channels[channel].activity_cycles ==
                  reference_activity(slow.channels[channel], slow.cycles, timing));
    }
}

RC_GTEST_PROP(OverlapScheduler, dcs_equals_the_ticking_tables, ()) {
    expect_equal(Scheduler::dcs, shipped_timing(), {});
}
RC_GTEST_PROP(OverlapScheduler, ping_pong_equals_the_ticking_halves, ()) {
    expect_equal(Scheduler::ping_pong, shipped_timing(), {});
}
RC_GTEST_PROP(OverlapScheduler, dcs_equals_the_ticking_tables_for_any_timing, ()) {
    expect_equal(Scheduler::dcs, random_timing(), {.most_instructions = 20});
}
RC_GTEST_PROP(OverlapScheduler, ping_pong_equals_the_ticking_halves_for_any_timing, ()) {
    expect_equal(Scheduler::ping_pong, random_timing(), {.most_instructions = 20});
}

}  // namespace
}  // namespace memside::pim
