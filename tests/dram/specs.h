// The shipped DRAM descriptions, read from the source tree.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "dram/spec.h"

namespace memside::dram {

inline Spec shipped(const std::string& name) {
    auto spec = load_spec(std::string(MEMSIDE_SOURCE_DIR) + "/systems/dram/" + name + ".yaml");
    if (!spec.ok()) {
        ADD_FAILURE() << spec.error().message();
        return {};
    }
    return *spec;
}

// Every file of systems/dram/.
inline constexpr const char* shipped_names[] = {"ddr4-3200",   "ddr5-4800",   "gddr6-14000",
                                                "hbm2-2000",   "hbm2e-3200",  "hbm3-6400",
                                                "lpddr5-6400", "lpddr5x-8533"};

}  // namespace memside::dram
