// The CXL-PNM device as a roofline: LPDDR5X bandwidth against 32 VPU tiles of 128 multipliers, with
// a merge sorter for the page scores (Kim et al., PACT 2025, section on the PNM architecture).
// Decode only: it has no matrix engine. The reference of the simulated device (pnm_device.h).
#pragma once

#include <memory>

#include "system/device.h"
#include "system/system_spec.h"

namespace memside::pnm {

// Reads the constants of the role "pnm".
std::unique_ptr<Device> make_pnm_roofline(ConstantReader& constants);

// What every variant answers for an operation that the device cannot execute.
Error no_unit_for(const std::string& device, const Operation& operation);

}  // namespace memside::pnm
