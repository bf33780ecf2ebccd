// From a scheduled step to the figures of a result: phases, resources, timeline.
#pragma once

#include "cluster/result.h"
#include "cluster/task_graph.h"

namespace memside {

// Shares of the critical path, in the order in which a step first meets them.
std::vector<PhaseTime> critical_phases(const TaskGraph& graph, const Schedule& schedule);

// Busy time, alike resources in one row by their mean.
void add_resources(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result);

// Every task, for the trace.
void add_timeline(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result);

// Energy per token by activity and coarsely; hardware price and electricity. Needs the result's
// tpot_s, throughput and batch. `others`: see energy_parts().
void add_energy_and_cost(const TaskGraph& graph, const Schedule& schedule,
                         ConstantReader& constants, const std::vector<EnergyShare>& others,
                         SimulationResult& result);

}  // namespace memside
