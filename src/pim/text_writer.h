// Writes AiM programs as text, in the form that text_reader.h reads.
#pragma once

#include <string>

#include "pim/program.h"

namespace memside::pim {

// One instruction a line, masks in hex, loops indented by two blanks. Loops must nest (see
// validate). Reading it back gives canonical(program).
std::string to_text(const Program& program);

// One line, without the strides of a program around it and without a line feed.
std::string to_text(const Instruction& instruction);

}  // namespace memside::pim
