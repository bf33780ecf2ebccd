// What a sweep leaves behind: a tidy table.
#pragma once

#include <string>
#include <vector>

#include "study/spec.h"

namespace memside {

// A line per point: a column per swept key, then the scalar keys of the JSON output, seed and
// reason. A swept key that is also one of those stands once, in front; `batch` there is the batch
// that ran, 0 when it does not fit.
std::string sweep_csv(const PointSet& set, const std::vector<SimulationResult>& results);

}  // namespace memside
