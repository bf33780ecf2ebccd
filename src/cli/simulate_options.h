// The options of memside simulate, and which policies read them.
#pragma once

#include "base/result.h"
#include "cli/options.h"
#include "cluster/policy.h"

namespace memside::cli {

// Declares every option; the help groups them by who reads them.
void declare_simulate_options(Options& options);

// bad_input for an option that was given and is not modelled yet.
Status refuse_unmodelled(const Options& options);

// bad_input for an option that was given and that `policy` does not read.
Status refuse_meaningless(const Options& options, const Policy& policy);

}  // namespace memside::cli
