// An experiment that asks how claims depend on assumptions: each assumption is varied over a list
// while the others keep their defaults, some are varied together, and named scenarios change
// several. A claim is a ratio of two simulated points.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "study/experiment_output.h"

namespace memside {

// How many times better `own` is than `baseline` by a measure.
struct Claim {
    std::string name;
    std::string head;
    Measure of;
    bool lower_is_better = false;
    std::vector<Setting> own;
    std::vector<Setting> baseline;
    std::optional<double> stated;  // by the publication, from stated.csv
    std::string source;
};

struct AssumptionRange {
    std::string name;
    std::string head;
    std::vector<std::string> settings;  // that take the value, all the same
    std::string replaces;               // instead of settings: a measure, by the values' measures
    std::vector<Setting> values;        // the name is empty
    std::size_t standard = 0;           // the default among them
};

struct Scenario {
    std::string name;
    std::string note;
    std::vector<Setting> settings;
    std::vector<std::pair<std::string, std::string>> measures;  // replaced, by which
};

struct Sensitivity {
    std::string name;
    std::string title;
    std::string figure;
    std::string note;
    std::vector<Claim> claims;
    std::vector<AssumptionRange> ranges;
    std::vector<std::vector<std::size_t>> grids;  // of ranges that are varied together
    std::vector<Scenario> scenarios;
    std::vector<std::size_t> quick;  // the ranges of a quick run
    Tolerance tolerance;
};

Result<Sensitivity> parse_sensitivity(const ConfigNode& root, const std::string& name);

// What is set in one row of the outcome.
struct Variation {
    std::string group;            // "budget", "budget x drop_out", "scenario"
    std::vector<std::string> at;  // the values, or the scenario's name
    std::vector<std::size_t> ranges;
    std::vector<std::size_t> values;  // of each of `ranges`
    std::optional<std::size_t> scenario;
    bool standard = false;                      // every value is the default
    std::vector<std::optional<double>> ratios;  // per claim; nothing where one side does not fit
    std::optional<double> drop_out_rate;        // of the first claim's own point
};

struct SensitivityRun {
    std::vector<Variation> variations;
    std::size_t points = 0;                  // simulations, each once
    std::vector<SimulationResult> standard;  // at the defaults: both sides of every claim
};

// One at a time, then the grids, then the scenarios; a quick run has only its ranges. bad_input
// when a default is not what the systems have.
Result<SensitivityRun> run_sensitivity(const Sensitivity& study, bool quick,
                                       const RunOptions& options);

// Per claim and range: the extremes, and where the stated figure is reached.
struct ClaimRange {
    std::size_t claim = 0;
    std::size_t range = 0;
    std::optional<double> lowest, highest, standard;
    std::string lowest_at, highest_at;
    std::vector<std::string> reached;      // values
    std::vector<std::string> not_reached;  // values, those where nothing fits included
};
std::vector<ClaimRange> claim_ranges(const Sensitivity& study,
                                     const std::vector<Variation>& variations);

Result<ExperimentOutput> produce_sensitivity(const ConfigNode& root, const std::string& name,
                                             const std::optional<CsvTable>& stated, bool quick,
                                             bool colour, const RunOptions& options);

}  // namespace memside
