// Serving on DRAM-PIM modules: steps by pim_step.h, memory by the stages of the plan.
#pragma once

#include "cluster/pim_step.h"
#include "cluster/serving.h"

namespace memside {

struct PimServingSetup {
    const ModelSpec& model;
    const PimMachine& machine;
    const PimDescription& description;
    const PimPlan& plan;
    const PimOptions& options;
    std::int64_t longest_tokens = 0;  // that a request ends with
    double kv_capacity_bytes = 0;     // left after weights in the whole system
};

// What is set up outlives it, as do the kernels.
std::unique_ptr<StepModel> make_pim_step_model(const PimServingSetup& setup, PimKernels& kernels);

}  // namespace memside
