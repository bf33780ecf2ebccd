// Figures that a publication states, to be shown beside ours. They are no tolerance, and nothing in
// a simulation reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "study/csv_reader.h"
#include "study/experiment.h"

namespace memside {

struct StatedRow {
    std::string claim;  // in words
    std::optional<double> ours;
    std::string ours_at;  // the point that ours is of, or the mean's kind
    double stated = 0.0;
    std::string unit;
    std::string source;  // document and page or section
};

// The rows of `table` (columns experiment, claim, column, pick, where, stated, unit, source) that
// belong to the experiment. `pick`: "largest", "smallest" or "only" of the column's values where
// the selection holds, or "mean": `column` is then a mean's name. bad_input for anything else.
Result<std::vector<StatedRow>> stated_beside(const CsvTable& table, const Experiment& experiment,
                                             const ExperimentRun& run);

}  // namespace memside
