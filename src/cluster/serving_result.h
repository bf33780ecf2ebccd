// What a served workload makes of a result, for every policy alike.
#pragma once

#include "cluster/serving.h"
#include "cluster/simulate.h"

namespace memside {

// Batch, times, queue, shares, energy and cost. `capacity` gets the batch by device.
void add_served(const Workload& workload, const ServedResult& served, ConstantReader& constants,
                SimulationResult& result);

// What serving assumes beside what a step does.
void add_serving_assumptions(const Workload& workload, const ServingOptions& options,
                             SimulationResult& result);

}  // namespace memside
