// What stands around the devices: servers, CXL switches, cooling. Charged when the system's
// cost.include_host says so; Kim et al. (PACT 2025) charge devices only.
#pragma once

#include "system/system_spec.h"

namespace memside {

struct Facility {
    bool included = false;  // else everything below is 0
    double host_power_w = 0;
    double switch_power_w = 0;
    double usd_per_hour = 0;  // hardware of both
    double cooling = 0;       // energy of cooling and power delivery per energy delivered
};

// Reads the constants of the role "cost" that apply, and no others.
Facility read_facility(ConstantReader& constants);

}  // namespace memside
