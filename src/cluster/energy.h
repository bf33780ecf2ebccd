// Energy of a scheduled step by activity: what waits draws idle power, what works draws its busy
// power, and arithmetic, memory accesses and bits over links come on top, each charged once.
#pragma once

#include <vector>

#include "cluster/result.h"
#include "cluster/task_graph.h"
#include "system/system_spec.h"

namespace memside {

// Parts of a whole step in J, under `j_per_token` of one token: divide by the tokens. Devices of a
// role that the schedule never used idle all along. Host, switches and cooling are parts when
// cost.include_host says so.
//
//   gpu_busy, pnm_busy, cxl_busy   power while an operation runs x its time
//   gpu_compute                    energy per FLOP x FLOPs
//   gpu_memory, pnm_memory         HBM by the bit, LPDDR by the command
//   gpu_idle, pnm_idle, cxl_idle   idle power x the rest of the step
//   links                          by the bit, at every hop
//   host, switch, cooling          power x time; a share of all the others
// `others`: parts of devices that are accounted for elsewhere; cooling is charged for them as well.
std::vector<EnergyShare> energy_parts(const TaskGraph& graph, const Schedule& schedule,
                                      ConstantReader& constants,
                                      const std::vector<EnergyShare>& others = {});

double sum_of(const std::vector<EnergyShare>& parts);

}  // namespace memside
