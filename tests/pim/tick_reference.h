// The slow and obvious reference of the in-order scheduler: 32 channels, cycle by cycle, as the
// rules in docs/pim.md say and with their numbers. Channels that are alike are not detected,
// nothing is skipped.
#pragma once

#include <vector>

#include "pim/tick_channel.h"

namespace memside::pim::ticking {

// Ends with the first EOC, or as if one followed the last instruction.
SimulationResult tick(const std::vector<Instruction>& instructions,
                      RefreshMode mode = RefreshMode::off, const TickRefresh& refresh = {});

}  // namespace memside::pim::ticking
