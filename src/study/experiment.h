// An experiment regenerates a figure: points, the columns that are wanted of them, what is derived,
// and how near to the expected figures a run must come. One YAML file each in experiments/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "study/derived.h"
#include "study/runner.h"
#include "study/spec.h"

namespace memside {

struct ExperimentChart {
    std::string title;
    std::string subtitle;
    std::string unit;
    double scale = 1.0;                  // values are drawn times this
    std::vector<std::size_t> columns;    // stacked, when there are several
    std::optional<std::size_t> rest_of;  // a column whose rest is drawn as "other"
    std::vector<std::size_t> points;
};

// How far a figure may be from the expected one before the run fails.
struct Tolerance {
    double relative = 0.0;
    std::string reason;
};

struct Experiment {
    std::string name;
    std::string title;
    std::string figure;  // what it regenerates: "Kim et al., PACT 2025, Fig. 10b"
    std::string note;    // what was chosen where the source leaves it open
    PointSet set;
    std::vector<std::size_t> quick;                         // the points of a quick run
    std::vector<std::pair<Measure, std::string>> measures;  // with the heading of the column
    std::vector<Ratio> ratios;
    std::vector<Mean> means;
    std::vector<ExperimentChart> charts;
    Tolerance tolerance;

    // Measures, then ratios: their names in the table.
    std::vector<std::string> column_names() const;
    std::vector<std::string> column_heads() const;
};

// `root`: the file of the experiment of that name. bad_input with the line.
Result<Experiment> parse_experiment(const ConfigNode& root, const std::string& name);

// Reads `relative` and `reason`; both are required.
Result<Tolerance> read_tolerance(const ConfigNode& root);

// A run of an experiment. Points that a quick run leaves out have no result and no value.
struct ExperimentRun {
    std::vector<std::size_t> points;        // that ran, ascending
    std::vector<SimulationResult> results;  // one per point of the set
    std::vector<Column> columns;            // as column_names()
    std::vector<MeanValue> means;           // as Experiment::means; empty after a quick run
};

Result<ExperimentRun> run_experiment(const Experiment& experiment, bool quick,
                                     const RunOptions& options);

// A line per point that ran: swept keys, columns, and the reason where nothing fits.
std::string experiment_csv(const Experiment& experiment, const ExperimentRun& run);
// A line per mean: name, kind, points that have a value, value. Empty without means.
std::string means_csv(const Experiment& experiment, const ExperimentRun& run);

}  // namespace memside
