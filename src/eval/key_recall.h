// Where digests rank the page of the key that a query likes best: on a model's own keys and on keys
// drawn from their statistics, to see whether the drawn ones are as easy or as hard to find.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "eval/associative.h"

namespace memside::eval {

struct KeyRecall {
    AssociativeDigest digest;
    std::int64_t pages = 0;
    // Of each query: rank of the page that holds the key with the largest product, 1 first.
    std::vector<std::int64_t> ranks;

    // Share of the queries whose page is among the best `count`.
    double among(std::int64_t count) const;
};

// keys: f32 [tokens][dim], whole pages. queries: f32 [dim] each, each for itself. infeasible when
// the store does not fit.
Result<std::vector<KeyRecall>> measure_key_recall(std::span<const float> keys, int dim,
                                                  std::int64_t page_tokens,
                                                  const std::vector<std::vector<float>>& queries,
                                                  const std::vector<AssociativeDigest>& digests,
                                                  engine::ThreadPool& pool);

}  // namespace memside::eval
