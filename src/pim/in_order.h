// The in-order scheduler: every channel strictly in program order. docs/pim.md has its rules.
#pragma once

#include "base/result.h"
#include "pim/simulation.h"

namespace memside::pim {

// As simulate(), whose checks `program` and `timing` have passed.
Result<SimulationResult> run_in_order(const Program& program, const Timing& timing,
                                      const SimulationOptions& options);

}  // namespace memside::pim
