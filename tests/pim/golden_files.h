// The golden figures of tests/pim/golden, which its README describes.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "pim/instruction.h"

namespace memside::pim {

enum class Match { yes, near, no };

struct GoldenTrace {
    std::string name;
    std::vector<Instruction> instructions;
    std::uint64_t cycles = 0;
    std::array<std::uint64_t, command_count> commands{};
    double reference_cpu_s = 0;
    Match match = Match::yes;
};

struct GoldenProgram {
    std::string lines;  // separated by " | "
    std::vector<Instruction> instructions;
    std::uint64_t cycles = 0;
    Match match = Match::yes;
};

std::vector<GoldenTrace> read_golden_traces();
std::vector<GoldenProgram> read_golden_pairs();
std::vector<GoldenProgram> read_golden_programs();

// The text of a file of tests/pim/golden.
std::string read_golden_text(const std::string& file);

// "MAC16=3;RD=1", without zeros.
std::string command_text(const std::array<std::uint64_t, command_count>& commands);

}  // namespace memside::pim
