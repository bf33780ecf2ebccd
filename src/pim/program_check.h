// What every scheduler relies on: the operands of a program are within the device.
#pragma once

#include "base/result.h"
#include "pim/program.h"

namespace memside::pim {

// bad_input for the first instruction of which an operand is out of range in some iteration of the
// loops around it; the place is the instruction's number, from 1.
Status check_program(const Program& program);

}  // namespace memside::pim
