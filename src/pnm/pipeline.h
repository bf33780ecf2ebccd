// The time of a program: its stages overlap, block by block, through double-buffered memories.
//
// With n blocks (half of the DMA buffers each) and a unit u that is busy for b_u in all, the first
// block passes every unit in turn and then the busiest unit never waits:
//   time = start + max b_u + (sum of the other b_u) / n.
#pragma once

#include <array>

#include "pnm/dram_streams.h"
#include "pnm/pnm_spec.h"
#include "pnm/program.h"

namespace memside::pnm {

struct KernelTime {
    double time_s = 0;
    double start_s = 0;  // descriptor, decoding
    double fill_s = 0;   // until the busiest unit has work, and after it has none
    std::array<double, unit_count> busy_s{};
    Unit busiest = Unit::dram;
    double dram_command_energy_j = 0;
};

// DRAM times scale with the spec's bandwidth against that of the streams, so that another data rate
// can be asked for. Reads and writes of one program are charged one after the other.
KernelTime run(const Program& program, const PnmSpec& spec, const DramStreams& dram);

}  // namespace memside::pnm
