// A compiled attention of the user's (simulate --policy pim --program) against what is simulated.
#pragma once

#include <string>

#include "cluster/pim_plan.h"

namespace memside {

// Reads the binary form. bad_input: a damaged file, a program that is no attention of one request
// (weights, other operations, one context alone), or one for other channels than a group has.
Result<pim::DynamicProgram> read_attention_program(const std::string& file);

// Whether the heads that the program attends are those of every module of the plan, and lie as
// options.partition says. bad_input at `file`.
Status fit_attention_program(const pim::DynamicProgram& program, const std::string& file,
                             const ModelSpec& model, const PimPlan& plan,
                             const PimProgramOptions& options);

}  // namespace memside
