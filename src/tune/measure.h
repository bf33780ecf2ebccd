// Measuring in this process: compile, compare with the reference, time.
#pragma once

#include "tune/kernel.h"
#include "tune/trial.h"

namespace memside::tune {

// A kernel is timed only after it has equalled the reference, and is `wrong` too when it no longer
// does after the timed runs.
TrialResult measure(Measurer& measurer, const Point& point, const Sampling& sampling);

}  // namespace memside::tune
