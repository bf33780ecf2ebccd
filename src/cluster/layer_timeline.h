// One layer of a step as a picture has room for it.
#pragma once

#include <optional>

#include "cluster/result.h"

namespace memside {

// Of result.timeline: the time in which the middle layer has tasks, with whatever else runs then,
// on the resources that have no number or the number 0 (the devices of a kind do alike). Tasks are
// cut at the ends of that time. Resources without a task are left out. Empty without tasks in a
// layer.
std::optional<SimulationResult::LayerTimeline> layer_timeline(const SimulationResult& result);

}  // namespace memside
