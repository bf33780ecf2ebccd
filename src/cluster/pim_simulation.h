// `simulate --policy pim`: DRAM-PIM modules that hold weights and KV and decode by themselves
// (docs/pim-systems.md).
#pragma once

#include "cluster/simulate.h"

namespace memside {

// The request's policy is pim. bad_input when the system has no modules, or for what is not
// modelled on them, by name.
Result<SimulationResult> simulate_on_pim(const SimulationRequest& request);

}  // namespace memside
