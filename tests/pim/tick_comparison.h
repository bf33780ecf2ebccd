// The engine beside the ticking reference, on one program.
#pragma once

#include <string>
#include <vector>

#include "pim/simulation.h"

namespace memside::pim {

// "" when cycles and, for each channel, command counts and activities are equal and the activities
// add up to the cycles; else the first difference.
std::string difference_from_ticking(const std::vector<Instruction>& instructions, RefreshMode mode,
                                    int refresh_interval = 3800);

// Fails the current test with a program that is as short as leaving out instructions makes it.
void expect_as_ticking(std::vector<Instruction> instructions, RefreshMode mode,
                       const std::string& what, int refresh_interval = 3800);

}  // namespace memside::pim
