// The timeline of one step for Perfetto (ui.perfetto.dev) or chrome://tracing.
#pragma once

#include <string>

#include "cluster/result.h"

namespace memside {

// Trace Event Format as JSON: one process for the simulated system, one named thread per resource,
// one complete event ('X') per task with its phase, layer, bytes, FLOPs, and whether it is on the
// critical path. Times are microseconds with nanosecond steps; events are ordered by start, then
// resource, so the same result gives the same bytes.
std::string to_trace(const SimulationResult& result);

}  // namespace memside
