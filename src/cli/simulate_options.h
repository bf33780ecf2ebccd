// The options of memside simulate and how they become the settings of a simulation.
#pragma once

#include "base/result.h"
#include "cli/options.h"
#include "study/settings.h"

namespace memside::cli {

// Declares every option of a simulation and the outputs; the help groups them by who reads them.
void declare_simulate_options(Options& options);

// Those of several systems at once: all but system, policy, the pair of TP and PP, and outputs.
void declare_compared_options(Options& options);

// What was given of those that were declared, in the table's order. bad_input for a --set that is
// no pair.
Result<Settings> settings_of(const Options& options, bool compared = false);

}  // namespace memside::cli
