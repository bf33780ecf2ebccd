// The hardware of a CXL-PNM device: 32 VPU tiles of 128 multipliers and 128 comparators, each with
// an adder and a comparator tree, a special function unit, a merge sorter, buffers, and channels of
// LPDDR5X (Kim et al., PACT 2025, arXiv 2511.00321).
#pragma once

#include <string>

#include "base/result.h"
#include "system/system_spec.h"

namespace memside::pnm {

struct PnmSpec {
    std::string name;
    double clock_hz = 0;
    double kernel_latency_s = 0;

    double tiles = 0;
    double lanes = 0;                 // multipliers of one tile: a power of two, for its trees
    double sfu_width = 0;             // exponentials per cycle
    double sort_width = 0;            // scores per cycle: a power of two, for its merge network
    double sram_bytes_per_cycle = 0;  // from the DMA buffers to the tiles
    double vector_buffer_bytes = 0;   // of all tiles
    double dma_buffer_bytes = 0;      // both halves

    int dram_channels = 0;
    double dram_bytes_per_s = 0;  // peak of all channels

    double controller_power_w = 0;
    double dram_power_w = 0;
    double platform_power_w = 0;
    double idle_power_w = 0;
};

// From the constants of the role "pnm". bad_input at the constant that the structure forbids.
Result<PnmSpec> read_pnm_spec(ConstantReader& constants);

}  // namespace memside::pnm
