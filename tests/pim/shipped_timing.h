// The timing file of GDDR6-AiM, for tests.
#pragma once

#include <fmt/format.h>

#include "pim/timing.h"

namespace memside::pim {

inline const Timing& shipped_timing() {
    static const Timing timing =
        read_timing(fmt::format("{}/systems/timing/gddr6-aim.yaml", MEMSIDE_SOURCE_DIR)).value();
    return timing;
}

}  // namespace memside::pim
