#include "kv/micro_batch.h"

#include <cassert>

namespace memside::kv {

MicroBatches micro_batches(std::int64_t pool_pages, std::int64_t budget_pages, std::int64_t batch) {
    assert(pool_pages >= 0 && budget_pages >= 1 && batch >= 1);
    const std::int64_t largest = pool_pages / budget_pages;
    if (largest == 0) return {};
    const std::int64_t count = (batch + largest - 1) / largest;
    // Even sizes: a step takes as long as its largest micro-batch, `count` times.
    return {(batch + count - 1) / count, count};
}

}  // namespace memside::kv
