// What the modules of a stage have for requests, in the terms of the allocators of kv/.
#pragma once

#include <cstdint>

#include "cluster/pim_plan.h"

namespace memside {

// Of the module of a stage that has the most heads.
struct PimStageMemory {
    std::int64_t room_bytes = 0;   // beside the weights
    std::int64_t token_bytes = 0;  // of KV of a token, all layers and heads of the module
    // With chunks: what a request takes at a time. Its regions, the keys and the values of each
    // layer and head (or of heads in lockstep), grow alike and take a chunk of 1 MiB each.
    std::int64_t chunk_bytes = 0;

    bool operator==(const PimStageMemory&) const = default;
};

PimStageMemory pim_stage_memory(const PimPlan& plan, const PimStage& stage, const ModelSpec& model,
                                const PimMachine& machine, const PimOptions& options);

}  // namespace memside
