// Reads AiM programs as text: one instruction a line, `#` comments, numbers decimal or 0x hex.
// docs/pim.md has the whole form. The public AiM simulator's traces read as they are; optional
// operands (`col=8 gb=0 out=1`) and loops (`LOOP 4`, `END`, `row+=1`, `row+=16@2`) are this
// project's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pim/program.h"

namespace memside::pim {

inline constexpr std::size_t max_program_bytes = std::size_t{1} << 30;

// Errors are bad input at `file`:line:column. The program is in range (see validate) and each
// of its instructions canonical.
Result<Program> parse_text(std::string_view text, const std::string& file);

}  // namespace memside::pim
