// The CXL-PNM device, simulated: programs of the operation table on its units, DRAM cycle by cycle
// (pipeline.h, dram_streams.h). Kernel times are computed once per shape and remembered; cost() may
// be called from any number of threads.
#pragma once

#include <memory>

#include "base/result.h"
#include "pnm/dram_streams.h"
#include "pnm/pipeline.h"
#include "pnm/pnm_spec.h"
#include "system/device.h"
#include "system/system_spec.h"

namespace memside::pnm {

// Reads the constants of the role "pnm", and notes those of its DRAM as "pnm.dram.*". bad_input
// when the structure forbids a constant or the DRAM cannot be read.
Result<std::unique_ptr<Device>> make_pnm_device(ConstantReader& constants);

// The variant that the constant "pnm.cycle_level" names: the simulated device or, as the reference,
// the roofline.
Result<std::unique_ptr<Device>> make_device(ConstantReader& constants);

// How the time of one operation comes about; what cost() remembers a summary of. bad_input when
// the device has no unit for it or its buffers are too small.
Result<KernelTime> kernel_time(const Operation& operation, const PnmSpec& spec,
                               const DramStreams& dram);

// The DRAM of the device (systems/dram/).
inline constexpr const char* pnm_dram = "lpddr5x-8533";

}  // namespace memside::pnm
