// What HBM leaves for KV pages beside the weights: the pool of `recall` and `png-kv`.
#pragma once

#include "cluster/policy.h"

namespace memside {

// All figures of one GPU. A page counts once for all selecting layers: a request that keeps a page
// resident keeps it in each of them, every layer its own choice of pages.
struct GpuPool {
    double weight_bytes = 0;
    double left_bytes = 0;                  // usable HBM less the weights, at least 0
    double page_bytes = 0;                  // K and V of one page in all selecting layers
    double digest_bytes_per_request = 0;    // if digests are kept in HBM
    double resident_bytes_per_request = 0;  // layers that attend all they keep

    static GpuPool of(const Hardware& hardware, const DecodeJob& job);

    // Pages, per selecting layer, that fit beside digests and resident layers of `batch` requests.
    std::int64_t pool_pages(std::int64_t batch) const;
};

}  // namespace memside
