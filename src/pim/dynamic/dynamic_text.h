// A dynamic program as text for people: regions, execution table, items with their loops. It is a
// listing; the binary form is what is read.
#pragma once

#include <string>

#include "pim/dynamic/dynamic_program.h"

namespace memside::pim {

std::string to_text(const DynamicProgram& program);

// "hub softmax_block state=0 ..." with all fields of the operation.
std::string to_text(const HubInstruction& hub);

}  // namespace memside::pim
