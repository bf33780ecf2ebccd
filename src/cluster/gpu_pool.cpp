#include "cluster/gpu_pool.h"

#include <algorithm>
#include <cmath>

namespace memside {

GpuPool GpuPool::of(const Hardware& hardware, const DecodeJob& job) {
    const ModelSpec& model = job.model;
    const TensorShard shard = TensorShard::of(model, hardware.gpus);
    GpuPool pool;
    pool.weight_bytes = shard.weight_bytes;
    pool.left_bytes = std::max(0.0, hardware.gpu_usable_bytes - shard.weight_bytes);
    const double token_bytes = static_cast<double>(model.kv_values_per_token_layer()) *
                               kv::bits(job.format.value_type) / 8.0 * shard.kv_share;
    const auto page_tokens = static_cast<double>(job.format.page_tokens);
    pool.page_bytes = token_bytes * page_tokens * selecting_layers(model, job.format);
    const kv::RequestBytes request = kv::request_bytes(model, job.format, job.context_tokens);
    pool.digest_bytes_per_request = static_cast<double>(request.digest_bytes) * shard.kv_share;
    for (int layer = 0; layer < model.layers; ++layer) {
        if (kv::selects(model, job.format, layer)) continue;
        pool.resident_bytes_per_request +=
            static_cast<double>(model.kept_tokens(layer, job.context_tokens)) * token_bytes;
    }
    return pool;
}

std::int64_t GpuPool::pool_pages(std::int64_t batch) const {
    const double others =
        static_cast<double>(batch) * (digest_bytes_per_request + resident_bytes_per_request);
    const double pages = std::floor((left_bytes - others) / page_bytes);
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::min(pages, 1e15)));
}

}  // namespace memside
