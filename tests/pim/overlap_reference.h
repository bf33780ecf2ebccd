// The schedulers `ping-pong` and `dcs` as slow, obvious machines that tick: queues of single
// commands, D-Table and S-Table with command ids, and every constraint checked against every
// command of the past. src/pim/overlap_scheduler.cpp must do the same at the same cycles.
#pragma once

#include <array>
#include <vector>

#include "pim/program.h"
#include "pim/simulation.h"

namespace memside::pim {

struct ReferenceCommand {
    std::uint64_t cycle = 0;
    std::uint64_t arrival = 0;
    Command command = Command::act;
    unsigned bank = 0;
    std::uint64_t instruction = 0;  // in program order; 0 for refresh
    std::uint32_t offset = 0;
    bool column = false;
    bool refresh = false;
    Command opens_for = Command::act;  // of a row command: which command waits for it
};

struct ReferenceRun {
    std::uint64_t cycles = 0;
    std::vector<std::uint64_t> decoded;
    std::array<std::vector<ReferenceCommand>, channel_count> channels;
};

// Cycles that part `first` from `second`, 1 if nothing but the bus does; docs/pim.md has the list.
std::uint64_t reference_gap(const Timing& timing, Command first, unsigned first_bank,
                            Command second, unsigned second_bank);

// From the issue of a command until its effect is there.
std::uint64_t reference_completion(const Timing& timing, Command command);

// For programs of up to some hundred instructions; no operand is checked.
ReferenceRun reference_overlap(const Program& program, const Timing& timing,
                               const SimulationOptions& options);

// Cycle by cycle: which Activity a channel's cycles count for.
std::array<std::uint64_t, activity_count> reference_activity(
    const std::vector<ReferenceCommand>& commands, std::uint64_t cycles, const Timing& timing);

}  // namespace memside::pim
