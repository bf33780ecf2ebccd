// The CXL-PNM device as a roofline: LPDDR5X bandwidth against 32 VPU tiles of 128 multipliers, with
// a merge sorter for the page scores (Kim et al., PACT 2025, section on the PNM architecture).
// Decode only: it has no matrix engine.
#pragma once

#include <memory>

#include "system/device.h"
#include "system/system_spec.h"

namespace memside::pnm {

// Reads the constants of the role "pnm".
std::unique_ptr<Device> make_pnm_roofline(ConstantReader& constants);

}  // namespace memside::pnm
