// What simulate_on_pim() refuses because it is not modelled on DRAM-PIM modules by themselves.
#pragma once

#include "cluster/simulate.h"

namespace memside {

// bad_input that names the option and what is allowed.
Status check_modelled_on_pim(const SimulationRequest& request, ConstantReader& constants);

}  // namespace memside
