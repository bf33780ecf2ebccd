// From a scheduled step to the figures of a result: phases, resources, energy, cost, timeline.
#pragma once

#include "cluster/policy.h"
#include "cluster/result.h"
#include "cluster/task_graph.h"

namespace memside {

// Shares of the critical path, in the order in which a step first meets them.
void add_phases(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result);

// Busy time, alike resources in one row by their mean.
void add_resources(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result);

// Every task, for the trace.
void add_timeline(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result);

// Energy per token by activity and coarsely; hardware price and electricity. Needs the result's
// tpot_s, throughput and batch.
void add_energy_and_cost(const Policy& policy, const StepPlan& step, ConstantReader& constants,
                         SimulationResult& result);

}  // namespace memside
