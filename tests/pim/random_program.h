// Random programs for comparisons between ways to run them.
#pragma once

#include <cstdint>
#include <vector>

#include "pim/instruction.h"

namespace memside::pim {

struct RandomProgramOptions {
    std::uint64_t seed = 1;
    std::size_t instructions = 100;
    unsigned channels = channel_count;  // the lowest so many by index
    std::uint32_t rows = 4;
    std::uint32_t longest = 64;  // opsize
    double host = 0;             // share of host reads and writes
    double barriers = 0.01;      // share of SYNC
    double whole = 0.5;          // share of masks that address all channels
    unsigned masks = 0;          // 0: any; else so many different ones
};

std::vector<Instruction> random_program(const RandomProgramOptions& options);

// One line of text for each, for messages.
std::string program_text(const std::vector<Instruction>& instructions);

}  // namespace memside::pim
