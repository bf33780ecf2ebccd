// How long the hub's extra processing unit takes for an instruction. Values and their sources are
// in systems/pim/hub.yaml, taken from CENT's helpers where these exist. Nothing overlaps: neither
// two hub instructions, nor a hub instruction and AiM commands.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dram/spec.h"
#include "pim/dynamic/expansion.h"

namespace memside::pim {

struct HubTiming {
    std::string name;
    double clock_ns = 0;
    double unit_count = 0;
    double exponent_tile_cycles = 0;
    double sum_tile_cycles = 0;
    double softmax_head_cycles = 0;
    double norm_group_values = 0;
    double norm_fixed_cycles = 0;
    double norm_passes = 0;
    double rope_value_cycles = 0;
    double add_tile_cycles = 0;
    double gate_tile_cycles = 0;
    double rescale_tile_cycles = 0;
    double move_tile_cycles = 0;
    double start_cycles = 0;
    double top_k_passes = 0;
    double top_k_tile_cycles = 0;
    std::vector<dram::SourcedConstant> constants;

    // Nanoseconds of a call of an expansion.
    double ns(const HubCall& call) const;
    // Picks the largest of `scores` bf16 scores: a threshold is searched in passes over all tiles,
    // the last of which lists what is above it.
    double top_k_ns(std::uint64_t scores) const;
};

Result<HubTiming> read_hub_timing(const std::string& path);

// The file that ships with Memside.
Result<std::string> default_hub_timing_path();

}  // namespace memside::pim
