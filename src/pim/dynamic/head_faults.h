// What validate() refuses of a program before its items: the head, tables, and regions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pim/dynamic/dynamic_program.h"

namespace memside::pim {

// Of names and texts: printable, and not too long.
bool printable_name(std::string_view text);

// Channels, sizes, and the place among stages.
std::optional<std::string> head_fault(const DynamicProgram& program);
// How modules share tokens, and the divisors of rotations.
std::optional<std::string> tables_fault(const DynamicProgram& program);
std::optional<std::string> region_fault(const Region& region);

}  // namespace memside::pim
