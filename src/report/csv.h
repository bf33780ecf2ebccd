// Results as tidy CSV: a header line, then one row per result, quoted as RFC 4180 says. Lines end
// in a plain newline.
#pragma once

#include <string>
#include <vector>

#include "cluster/result.h"

namespace memside {

// The scalar keys of the JSON output in their order, then `seed` and `reason`.
std::vector<std::string> csv_columns();

// One cell per column, unquoted; empty where the JSON has null.
std::vector<std::string> csv_cells(const SimulationResult& result);

// One line with its newline. A cell with a comma, a quote or a line break is quoted.
std::string csv_line(const std::vector<std::string>& cells);

std::string to_csv(const std::vector<SimulationResult>& results);

}  // namespace memside
