// The table of docs/pim.md, generated.
#pragma once

#include <string>

namespace memside::pim {

// The instructions, in Markdown.
std::string instructions_markdown();

// The document with its table replaced; empty when it has no place for it.
std::string with_tables(const std::string& document);

}  // namespace memside::pim
