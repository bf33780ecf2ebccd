// Random programs and timings for the tests of `ping-pong` and `dcs`.
#pragma once

#include "pim/program.h"
#include "pim/shipped_timing.h"

namespace memside::pim {

struct RandomProgramShape {
    int most_instructions = 40;
    // Without what a functional run needs to know: operands that reach beyond their buffers.
    bool for_data = false;
    bool host_accesses = true;
};

// Few rows, registers and entries, so that every kind of dependency happens. To be called inside a
// RapidCheck property.
Program random_overlap_program(const RandomProgramShape& shape);

// The shipped timing with some constraints changed, so that no rule hides behind another.
Timing random_timing();

}  // namespace memside::pim
