// Dynamic programs in binary form: header, texts, regions, execution table, items, checksum.
// docs/pim-dynamic.md has its layout. A program has one binary form.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::pim {

// Whether the bytes begin as a dynamic program does; no text and no AiM program does.
bool is_dynamic_binary(std::string_view bytes);

// The program must be valid. Reading it back gives canonical(program).
std::string to_binary(const DynamicProgram& program);

// Errors are bad input at "`file`: byte N". Whatever to_binary did not write is refused. The
// program is valid and canonical.
Result<DynamicProgram> parse_dynamic_binary(std::string_view bytes, const std::string& file);

}  // namespace memside::pim
