// What a result rests on that is not a sourced fact.
#pragma once

#include "cluster/policy.h"
#include "cluster/simulate.h"

namespace memside {

// Adds the assumptions of the request and of every constant that was read, and all constants.
void add_assumptions(const SimulationRequest& request, const Policy& policy, const DecodeJob& job,
                     const ConstantReader& constants, SimulationResult& result);

// What page selection's scores rest on.
void add_score_assumptions(const SimulationRequest& request, SimulationResult& result);

}  // namespace memside
