// Micro-batches: how far a batch has to be split so that what its requests attend is resident.
#pragma once

#include <cstdint>

namespace memside::kv {

struct MicroBatches {
    std::int64_t size = 0;   // requests in the largest micro-batch; 0: not even one request fits
    std::int64_t count = 0;  // micro-batches that make up the batch
};

// The fewest, most even micro-batches with budget_pages x size <= pool_pages (Kim et al.,
// PACT 2025: T_budget x B_micro <= |P|). Both page counts are for the same layers: per layer, or
// for all. budget_pages and batch are at least 1.
MicroBatches micro_batches(std::int64_t pool_pages, std::int64_t budget_pages, std::int64_t batch);

}  // namespace memside::kv
