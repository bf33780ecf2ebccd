// Energy of a channel by command.
#pragma once

#include <array>
#include <cstdint>

#include "dram/command.h"
#include "dram/spec.h"

namespace memside::dram {

struct EnergyBreakdown {
    double activate_j = 0;  // ACT and the PRE that follows it
    double read_j = 0;
    double write_j = 0;
    double refresh_j = 0;
    double background_j = 0;
    double total_j() const { return activate_j + read_j + write_j + refresh_j + background_j; }
};

// Of the commands of one channel in `cycles` ticks. A row that is still open has been charged for
// its PRE already; ACT2 and CAS are part of ACT and RD.
EnergyBreakdown channel_energy(const Spec& spec,
                               const std::array<std::int64_t, all_commands>& commands,
                               double cycles);

}  // namespace memside::dram
