// Results as one page that works offline: style, script, Chart.js and data are inside the file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/result.h"

namespace memside {

struct HtmlOptions {
    std::string title;    // empty: what the results share, such as "llama-3.1-70b, 128K tokens"
    std::string command;  // the command line that makes the report again; empty: not shown
};

// Headline figures, comparison, charts, assumptions, constants, and how to reproduce. Charts show
// the 24 fastest of more results; the tables always show all. No result is bad input.
Result<std::string> html_report(const std::vector<SimulationResult>& results,
                                const HtmlOptions& options = {});

}  // namespace memside
