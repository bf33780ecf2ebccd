// What memside eval needle says at its end: JSON, CSV, and tables for a person.
#pragma once

#include <string>
#include <vector>

#include "cli/eval_options.h"
#include "eval/needle_count.h"

namespace memside::cli {

struct NeedleReport {
    const EvalRequest& request;
    const eval::NeedleSetup& setup;
    std::vector<eval::NeedleAnswer> answers;
    std::vector<eval::NeedleCell> cells;    // of the answers
    std::vector<eval::NeedleTotal> totals;  // of the cells
};

std::string to_json(const NeedleReport& report);
// A row for each cell of each policy.
std::string to_csv(const NeedleReport& report);
std::string to_text(const NeedleReport& report, bool colour);

}  // namespace memside::cli
