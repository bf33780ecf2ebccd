// From a question (model, system, policy, context) to the simulated decode step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cluster/result.h"
#include "kv/layout.h"
#include "model/model_spec.h"
#include "system/system_spec.h"

namespace memside {

struct SimulationRequest {
    ModelSpec model;
    SystemSpec system;
    std::string policy;
    std::int64_t context_tokens = 0;
    std::optional<std::int64_t> batch;          // empty: the largest that fits
    std::optional<std::int64_t> budget_tokens;  // empty: a quarter of the context
    kv::PageFormat format;
    std::uint64_t seed = 1;
};

// bad_input when the policy is unknown or cannot run on the system. When nothing fits, or the batch
// asked for does not, the result has batch 0 and a reason. Modelled figures, never measured ones.
Result<SimulationResult> simulate(const SimulationRequest& request);

}  // namespace memside
