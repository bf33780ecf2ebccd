// The tables of docs/pnm.md, generated.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace memside::pnm {

// Name in the document ("<!-- name: begin -->") and content.
std::vector<std::pair<std::string, std::string>> generated_tables();

// The document with its tables replaced; empty when it has no place for one of them.
std::string with_tables(const std::string& document);

}  // namespace memside::pnm
