// An experiment that compares systems at equal size (`kind: comparison`).
#pragma once

#include <string>

#include "study/experiment_output.h"

namespace memside {

// `root` has `base` (settings of all) and `compare`: a list of maps of settings, each with a
// `reference` system, each of which makes the three tables of `memside compare`. A quick run makes
// the first. bad_input with the line.
Result<ExperimentOutput> produce_comparison(const ConfigNode& root, const std::string& name,
                                            bool quick, bool colour, const RunOptions& options);

}  // namespace memside
