// What the makers of kernels share; for them alone.
#pragma once

#include <vector>

#include "cluster/pim_kernels.h"
#include "pim/dynamic/dynamic_time.h"

namespace memside {

// Accumulators that a program may count on. In order: the device's single one (PIMphony: 4 bytes a
// bank). Ping-pong: one in each half; LoL-PIM does not say how deep. DCS: the output buffer.
std::uint32_t kernel_accumulators(pim::Scheduler scheduler);

PimKernelTime kernel_time(const pim::SimulationResult& result, double hub_cycles,
                          const pim::Timing& timing);

// The blocks of a run from what channels and hub did by turns.
PimBlocks kernel_blocks(const std::vector<pim::Stretch>& stretches);

Result<PimKernelTime> time_selected(const PimSelected& shape, const PimProgramOptions& options,
                                    const PimDescription& description,
                                    const pim::SimulationOptions& simulation);

}  // namespace memside
