// The options of `--policy pim`, from settings.
#pragma once

#include "cluster/pim_plan.h"
#include "study/settings.h"

namespace memside {

// Defaults where nothing is set; bad_input for what is not a value of an option, and for --tp
// without --pp, either beside --parallel.
Result<PimOptions> read_pim_options(const Settings& settings);

}  // namespace memside
