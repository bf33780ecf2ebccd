// AiM programs in a compact binary form that keeps their loops; docs/pim.md has its layout.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pim/program.h"

namespace memside::pim {

// Whether the bytes begin as a binary program does; no text does.
bool is_binary(std::string_view bytes);

// Loops must nest (see validate). Reading it back gives canonical(program).
std::string to_binary(const Program& program);

// Errors are bad input at "`file`: byte N". Whatever to_binary did not write is refused: other
// versions, a length or checksum that does not fit, operands out of range, numbers that are longer
// than they need be. The program is canonical and in range.
Result<Program> parse_binary(std::string_view bytes, const std::string& file);

}  // namespace memside::pim
