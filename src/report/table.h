// Results for the terminal: modelled figures, said so, at most 100 columns wide. The caller decides
// about colour (none when the output is not a terminal).
#pragma once

#include <string>
#include <vector>

#include "cluster/result.h"

namespace memside {

inline constexpr int terminal_columns = 100;

// One simulation: what ran, how fast, where the time goes, memory, energy, cost and what it all
// rests on. When nothing fits: the reason and the memory that is missing.
std::string summary(const SimulationResult& result, bool colour);

// One row per result, with what holds it back: the phase with the largest share of a step. Model
// and context stand in the title when all agree; else models have lines between the rows. What else
// tells rows apart stands behind the policy.
std::string comparison(const std::vector<SimulationResult>& results, bool colour);

}  // namespace memside
