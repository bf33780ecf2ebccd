// A decode step of one sequence on a machine's own cores, as the engine takes it: operation after
// operation, each on as many threads as it has work for.
#pragma once

#include "cluster/cpu_machine.h"
#include "cluster/policy.h"

namespace memside {

// Pages of one page set in one selecting layer and step.
struct CpuPages {
    double selected = 0;
    double recalled = 0;  // copied into the pool
    double resident = 0;  // pages of the pool; 0: there is none
};

// The step after job.context_tokens tokens. `selects`: whether the policy does.
StepPlan plan_cpu_step(const CpuMachine& machine, const DecodeJob& job, bool selects,
                       const CpuPages& pages);

// The measured type whose bytes per weight come nearest to those of the part; of equal ones the
// model's main type.
std::string weight_type_of(const ModelSpec& model, const WeightPart& part);

}  // namespace memside
