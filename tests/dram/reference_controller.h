// A slow controller that ticks every cycle and re-examines everything: every waiting request, and
// every command issued so far for every timing rule. The event-driven one must equal it command by
// command.
#pragma once

#include <vector>

#include "dram/controller.h"

namespace memside::dram {

struct ReferenceResult {
    std::vector<IssuedCommand> log;
    Cycle read_latency_sum = 0;
    std::int64_t reads = 0;
    std::int64_t writes = 0;
    std::int64_t forwarded = 0;
    std::int64_t merged = 0;
    std::int64_t row_hits = 0;
    std::int64_t row_misses = 0;
    std::int64_t row_conflicts = 0;
};

ReferenceResult reference_simulate(const Spec& spec, const ControllerOptions& options,
                                   const std::vector<Request>& requests);

// The first rule that `log` breaks, or "" when it keeps them all.
std::string broken_rule(const Spec& spec, const std::vector<IssuedCommand>& log);

}  // namespace memside::dram
