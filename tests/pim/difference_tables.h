// The tables of docs/aim-differences.md, from the golden figures and the engine.
#pragma once

#include <string>

namespace memside::pim {

// Traces that need not be equal: the reference's figures and ours.
std::string difference_trace_table();
// Single instructions and pairs that the reference gets wrong, by what takes part.
std::string difference_pair_table();

// `document` with both tables in their places; "" when it has no place for them.
std::string with_difference_tables(std::string document);

}  // namespace memside::pim
