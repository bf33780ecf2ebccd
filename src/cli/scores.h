// What `memside scores` writes: tables for a person and JSON, from statistics of traces.
#pragma once

#include <string>
#include <vector>

#include "kv/scores_recorded.h"
#include "kv/trace_fit.h"
#include "report/json_writer.h"

namespace memside::cli {

// The members of one object: moments, correlation, budgets.
void write_statistics_members(JsonWriter& json, const kv::TraceStatistics& statistics);
void write_parameters(JsonWriter& json, const kv::SyntheticParameters& parameters);
// An array of the compared figures.
void write_figures(JsonWriter& json, const std::vector<kv::FittedFigure>& figures);

// A line per stream and budget.
std::string statistics_table(const std::vector<std::string>& names,
                             const std::vector<kv::TraceStatistics>& statistics);

// A line per figure: recorded and fitted beside each other, twice, on what was fitted and on what
// was held out. The two lists are of the same figures.
std::string figures_table(const std::vector<kv::FittedFigure>& fitted,
                          const std::vector<kv::FittedFigure>& held_out);

// The options that give `simulate` these parameters: "--set scores.sigma=1.9 ...". Values are
// rounded to four significant digits.
std::string set_options(const kv::SyntheticParameters& parameters);

// The parameters as those options give them.
kv::SyntheticParameters rounded(const kv::SyntheticParameters& parameters);

}  // namespace memside::cli
