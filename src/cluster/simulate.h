// From a question (model, system, policy, context) to the simulated decode step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cluster/batch.h"
#include "cluster/pim_plan.h"
#include "cluster/result.h"
#include "cluster/selection.h"
#include "cluster/serving.h"
#include "kv/layout.h"
#include "model/model_spec.h"
#include "system/system_spec.h"

namespace memside {

struct SimulationRequest {
    ModelSpec model;
    SystemSpec system;
    std::string policy;
    std::int64_t context_tokens = 0;            // of every request
    std::optional<std::int64_t> batch;          // empty: the largest that fits
    std::optional<std::int64_t> budget_tokens;  // empty: a quarter of the context
    kv::PageFormat format;
    SelectionOptions selection;
    Workload workload;       // requests that come and go, in place of context_tokens and batch
    ServingOptions serving;  // for a workload
    Placement placement = Placement::lpt;
    PimOptions pim;             // for the policy of that name
    bool half_batches = false;  // FC of one half of the batch hides attention of the other
    std::uint64_t seed = 1;
    // What its user wrote, name and text, so that a result can be made again; see study/settings.h.
    std::vector<std::pair<std::string, std::string>> settings;
};

// bad_input when the policy is unknown or cannot run on the system. When nothing fits, or the batch
// asked for does not, the result has batch 0 and a reason. Modelled figures, never measured ones.
Result<SimulationResult> simulate(const SimulationRequest& request);

}  // namespace memside
