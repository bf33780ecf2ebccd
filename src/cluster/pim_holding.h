// Whether requests of several lengths fit into DRAM-PIM modules together.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/pim_plan.h"

namespace memside {

// Of the stage whose modules are fullest.
struct PimHolding {
    double needed_bytes = 0;  // by the requests, on its fullest module
    double room_bytes = 0;    // beside the weights

    bool fits() const { return needed_bytes <= room_bytes; }
};

PimHolding pim_holding(const PimPlan& plan, const ModelSpec& model, const PimMachine& machine,
                       const PimOptions& options, const std::vector<std::int64_t>& contexts);

}  // namespace memside
