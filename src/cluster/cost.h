// Money: hardware by the hour, and electricity for what the devices may draw.
#pragma once

#include "system/system_spec.h"

namespace memside {

struct Ownership {
    double power_w = 0;  // full power of every device, busy or not, and of what stands around them
    double hardware_usd_per_hour = 0;
    double electricity_usd_per_hour = 0;
    double usd_per_hour() const { return hardware_usd_per_hour + electricity_usd_per_hour; }
};

// Every device of the system is paid for, whether a policy uses it or not. Its power is the one of
// Kim et al. (PACT 2025): an A100 400 W, a CXL-PNM device 150 W, a plain module while it works.
Ownership ownership(ConstantReader& constants);

}  // namespace memside
