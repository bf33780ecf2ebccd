// The guard's and the worker's side of isolated_runner.h. Internal to the runner.
#pragma once

#include "tune/isolated_runner.h"

namespace memside::tune {

// Serves requests from `socket` until its other end closes. Does not return.
[[noreturn]] void guard_workers(int socket, const MeasurerFactory& factory,
                                const RunnerLimits& limits);

}  // namespace memside::tune
