// The schedulers `ping-pong` and `dcs`: one HUB that decodes in program order, and channels that
// overlap transfers with compute. docs/pim-scheduling.md has the rules and what they rest on.
#pragma once

#include <array>
#include <vector>

#include "base/result.h"
#include "pim/overlap_channel.h"
#include "pim/simulation.h"

namespace memside::pim {

// As simulate(), whose checks `program` and `timing` have passed. Error: an accumulator entry
// beyond obuf_entries.
Result<SimulationResult> run_ping_pong(const Program& program, const Timing& timing,
                                       const SimulationOptions& options);
Result<SimulationResult> run_dcs(const Program& program, const Timing& timing,
                                 const SimulationOptions& options);

// Everything that was issued, for tests and drawings.
struct OverlapLog {
    std::vector<Cycle> decoded;  // cycle, by instruction of the unrolled program
    std::array<std::vector<IssuedCommand>, channel_count> channels;
};

Result<SimulationResult> run_overlapped(const Program& program, const Timing& timing,
                                        const SimulationOptions& options, OverlapLog* log);

// Column commands that each queue of a channel holds, as the one queue of the in-order channel.
inline constexpr std::uint64_t queue_capacity = 33;

}  // namespace memside::pim
