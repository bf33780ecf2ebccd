// What a run of an experiment gives: tables to keep and to compare, text for the terminal, a page.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "study/experiment.h"
#include "study/stated.h"

namespace memside {

// A table that is kept, and compared with the expected one of the same name.
struct KeptTable {
    std::string file;  // "pnm-fig10a.csv"
    std::string csv;
    std::size_t keys = 1;  // leading columns that name a row
    bool whole = true;     // every expected row is in it
};

struct ExperimentOutput {
    std::string name;
    std::string title;
    std::size_t points = 0;  // simulations
    std::vector<KeptTable> tables;
    std::vector<StatedRow> stated;
    Tolerance tolerance;
    std::string text;  // at most 100 columns wide
    std::string page;  // HTML
};

// The experiments of `folder`, by name, figures in the order of their numbers.
std::vector<std::string> experiment_names(const std::string& folder);

// Runs `folder`/NAME.yaml, with `folder`/stated.csv beside it. bad_input for an unknown name, a bad
// file or a bad row of stated.csv.
Result<ExperimentOutput> produce_experiment(const std::string& folder, const std::string& name,
                                            bool quick, bool colour, const RunOptions& options);

// "claim  ours  stated" as lines for the terminal; empty without rows.
std::string stated_text(const std::vector<StatedRow>& rows, bool colour);

// Differences to `expected_folder`, a line each; a table that is missing there is one. bad_input
// when one there cannot be read.
Result<std::vector<std::string>> compare_with_expected(const ExperimentOutput& output,
                                                       const std::string& expected_folder);

}  // namespace memside
