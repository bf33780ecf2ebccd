// What the device executes for one operation: stages that overlap, each on one of its units. The
// operation table makes programs by hand; a compiler makes the same.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "pnm/dram_streams.h"

namespace memside::pnm {

enum class Unit {
    dram,         // the LPDDR5X channels
    sram,         // the port from the DMA buffers to the tiles
    multipliers,  // of the VPU tiles, with their adder trees
    comparators,  // of the VPU tiles, with their comparator trees
    sfu,          // exponential and reciprocal
    sorter,       // merges page scores
};
inline constexpr std::size_t unit_count = 6;
inline constexpr std::array<std::string_view, unit_count> unit_names = {
    "DRAM", "SRAM port", "multipliers", "comparators", "SFU", "sorter"};

constexpr std::size_t index(Unit unit) {
    return static_cast<std::size_t>(unit);
}

struct Stage {
    std::string_view name;
    Unit unit = Unit::dram;
    // Of the unit's work. On Unit::dram elements are bytes, and `access` says how they lie.
    double elements = 0;
    double elements_per_cycle = 0;
    Access access = Access::read_sequential;
    double piece_bytes = 0;
};

struct Program {
    std::vector<Stage> stages;
    double vector_buffer_bytes = 0;  // what must stay in the vector and scalar buffers at once
    double bytes = 0;                // read and written in DRAM
    double flops = 0;
};

}  // namespace memside::pnm
