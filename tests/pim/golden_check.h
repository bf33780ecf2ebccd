// Compares a way to run programs with every golden figure and names each mismatch.
#pragma once

#include <functional>

#include "pim/golden_files.h"
#include "pim/simulation.h"

namespace memside::pim {

using RunProgram = std::function<SimulationResult(const std::vector<Instruction>&)>;

// Fails the current test for each mismatch; returns how many figures were compared.
std::size_t expect_golden_traces(const RunProgram& run);
std::size_t expect_golden_programs(const std::vector<GoldenProgram>& programs,
                                   const RunProgram& run);

}  // namespace memside::pim
