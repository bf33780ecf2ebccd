// How much of a memory for KV is used while requests of unequal lengths come and go: a batch is
// kept as full as an allocator (allocation.h) admits, from a queue that never ends.
//
// Every step each running request grows by a token; one that has all its output tokens leaves, and
// those that wait enter in order while the first of them finds room. A request that finds no room
// to grow makes the one that came last go back to the head of the queue, with what it has, as
// engines do that reserve nothing ahead.
#pragma once

#include <cstdint>
#include <functional>

#include "kv/allocation.h"

namespace memside::kv {

struct CapacityRun {
    std::int64_t bytes_per_token = 0;
    // Prompt tokens of the request that comes as number `index`, counted from 0.
    std::function<std::int64_t(std::int64_t index)> prompt_tokens;
    std::int64_t output_tokens = 0;
    std::int64_t window_tokens = 0;  // longer requests end at the window
    std::int64_t steps = 0;          // counted, after as many that are not
};

// Means over the counted steps.
struct CapacityUse {
    double live_share = 0.0;      // live KV bytes / capacity
    double reserved_share = 0.0;  // reserved bytes / capacity
    double requests = 0.0;        // that run
    double preemptions = 0.0;     // requests sent back, per request that ended
};

// bad_input at `where` when a request can never fit alone.
Result<CapacityUse> capacity_use(KvAllocator& allocator, const CapacityRun& run,
                                 const std::string& where);

}  // namespace memside::kv
