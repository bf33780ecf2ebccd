// A parser of golden traces for tests, independent of the product's reader and as plain as can be:
// well-formed lines only, no optional operands.
#pragma once

#include <string>
#include <vector>

#include "pim/instruction.h"

namespace memside::pim {

// Lines end with '\n'; blank lines and `#` comments are skipped. Throws std::runtime_error.
std::vector<Instruction> parse_trace_text(const std::string& text);

}  // namespace memside::pim
