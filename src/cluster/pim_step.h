// One decode step of a batch on DRAM-PIM modules under one pair of TP and PP.
#pragma once

#include "cluster/pim_layer.h"
#include "cluster/pipeline.h"
#include "cluster/result.h"

namespace memside {

struct PimStep {
    std::vector<PhaseTime> phases;  // sum to step_s
    PimWork work;                   // of all modules and groups; its phases are not used
    double step_s = 0;
    std::int64_t groups = 0;  // micro-batches
    // Busy time of a module: mean, and of the slowest stage.
    double mean_busy_s = 0;
    double most_busy_s = 0;
};

// `contexts` of the batch, at least one. Every stage works on another group of requests, as many
// groups as there are stages if the batch has so many.
Result<PimStep> plan_pim_step(const ModelSpec& model, const PimMachine& machine,
                              const PimPlan& plan, const PimOptions& options, PimKernels& kernels,
                              std::vector<std::int64_t> contexts);

// Energy of a step by part, in J.
std::vector<EnergyShare> pim_energy(const PimStep& step, const PimMachine& machine,
                                    const PimDescription& description, const PimOptions& options);

// MAC commands x their spacing over the time of all channels of all modules.
double pim_mac_utilization(const PimStep& step, const PimMachine& machine,
                           const pim::Timing& timing);

}  // namespace memside
