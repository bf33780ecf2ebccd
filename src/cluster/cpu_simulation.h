// `simulate` on a machine's own cores: what fits its memory, pages from kv/, one step, the result.
#pragma once

#include "cluster/simulate.h"

namespace memside {

// The request's system has a cpu. bad_input for what is not modelled there, by name: other policies
// than dense, pnm-kv and recall, batches, half-batches, types that the engine does not hold.
Result<SimulationResult> simulate_on_cpu(const SimulationRequest& request);

}  // namespace memside
