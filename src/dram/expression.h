// Durations written as sums of named timings: "nCL + nBL + 2 - nCWL".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dram/command.h"

namespace memside::dram {

using TimingValues = std::map<std::string, Cycle, std::less<>>;

// The value of a sum of names of `values` and whole numbers of clocks (`ticks_per_clock` ticks
// each). bad_input at `where` for anything else.
Result<Cycle> evaluate(std::string_view text, const TimingValues& values, int ticks_per_clock,
                       const std::string& where);

// The names that a sum mentions.
std::vector<std::string> names_in(std::string_view text);

}  // namespace memside::dram
