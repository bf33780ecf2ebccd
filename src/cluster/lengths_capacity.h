// How much of the memory of PIM modules holds live KV while requests of a benchmark's lengths come
// and go: reserved for the window, or in chunks that the dispatcher hands out (DPA).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kv/capacity_use.h"
#include "model/length_distribution.h"
#include "model/model_spec.h"

namespace memside {

struct LengthsCapacityRequest {
    ModelSpec model;
    LengthStatistics lengths;
    std::int64_t module_bytes = 0;
    int modules = 1;
    std::int64_t chunk_bytes = 0;
    int kv_bits = 16;
    std::int64_t output_tokens = 0;
    std::int64_t steps = 0;
    std::uint64_t seed = 1;
};

struct LengthsCapacity {
    std::int64_t kv_capacity_bytes = 0;    // of all modules, less the weights
    std::int64_t bytes_per_token = 0;      // of KV
    std::int64_t regions_per_request = 0;  // keys and values of each layer and KV head
    kv::CapacityUse reserved;              // a window for each request
    kv::CapacityUse chunked;               // chunks from one pool: a request wastes its last one
    kv::CapacityUse chunked_regions;       // a region wastes its last one: as compiled programs
};

// bad_input where weights or a single request do not fit.
Result<LengthsCapacity> lengths_capacity(const LengthsCapacityRequest& request);

}  // namespace memside
