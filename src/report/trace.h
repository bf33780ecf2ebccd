// The timeline of one step for Perfetto (ui.perfetto.dev) or chrome://tracing.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "cluster/result.h"

namespace memside {

// About 300 bytes each: more would neither fit in memory comfortably nor open in a viewer.
inline constexpr std::size_t max_trace_tasks = 2'000'000;

// bad_input that names the limit when a step has more tasks than a trace may hold.
Status check_trace_size(std::size_t tasks, const std::string& where);

// Trace Event Format as JSON: one process for the simulated system, one named thread per resource,
// one complete event ('X') per task with its phase, layer, bytes, FLOPs, and whether it is on the
// critical path. Times are microseconds with nanosecond steps; events are ordered by start, then
// resource, so the same result gives the same bytes.
// The tasks must be max_trace_tasks at most.
std::string to_trace(const SimulationResult& result);

}  // namespace memside
