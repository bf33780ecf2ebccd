#include "cluster/pnm_fit.h"

#include <cmath>

#include "base/number.h"

namespace memside {
namespace {

std::string shortage(const PnmPool& pool, const DecodeJob& job, const Fit& fit) {
    std::string reason =
        fmt::format("one request needs {} of the {} of a device ({} of KV",
                    format_bytes(fit.capacity.request_bytes), format_bytes(pool.capacity_bytes),
                    format_bytes(static_cast<double>(fit.request.kv_bytes)));
    if (!pool.digest_in_capacity) return reason + ", digests not counted)";
    reason += fmt::format(" and {} of digests at page size {})",
                          format_bytes(static_cast<double>(fit.request.digest_bytes)),
                          job.format.page_tokens);
    if (static_cast<double>(fit.request.kv_bytes) > pool.capacity_bytes) return reason;
    // Only the digests are too many: name the smallest page that would do.
    for (kv::PageFormat format = job.format; format.page_tokens <= job.context_tokens;) {
        format.page_tokens *= 2;
        const kv::RequestBytes larger = kv::request_bytes(job.model, format, job.context_tokens);
        const auto needed = static_cast<double>(larger.kv_bytes + larger.digest_bytes);
        if (needed <= pool.capacity_bytes) {
            return reason + fmt::format(
                                "; --page-size {} needs {}, and --set "
                                "pnm.digest_in_capacity=false keeps digests elsewhere",
                                format.page_tokens, format_bytes(needed));
        }
    }
    return reason;
}

}  // namespace

Status needs_pnm(const Policy& policy, const SystemSpec& system) {
    if (system.has("pnm")) return {};
    return bad_input("--policy",
                     fmt::format("'{}' cannot run on {}: it has no CXL-PNM devices; take a system "
                                 "such as a100x2-pnm8",
                                 policy.name(), system.name));
}

Fit pnm_fit(const Hardware& hardware, const DecodeJob& job) {
    const PnmPool& pool = *hardware.pnm;
    const TensorShard shard = TensorShard::of(job.model, hardware.gpus);
    Fit fit;
    fit.request = kv::request_bytes(job.model, job.format, job.context_tokens);
    SimulationResult::Capacity& capacity = fit.capacity;
    if (shard.weight_bytes > hardware.gpu_usable_bytes) {
        capacity.device = "gpu";
        capacity.devices = hardware.gpus;
        capacity.capacity_bytes = hardware.gpu_usable_bytes;
        capacity.weight_bytes = shard.weight_bytes;
        fit.reason = fmt::format("the weights take {} on {}, with {} of HBM to use",
                                 format_bytes(shard.weight_bytes), each_gpu(hardware.gpus),
                                 format_bytes(hardware.gpu_usable_bytes));
        return fit;
    }
    capacity.device = "pnm";
    capacity.devices = pool.fabric.devices;
    capacity.capacity_bytes = pool.capacity_bytes;
    if (pool.digest_in_capacity) {
        capacity.digest_bytes = static_cast<double>(fit.request.digest_bytes);
    }
    capacity.request_bytes = static_cast<double>(fit.request.kv_bytes) + capacity.digest_bytes;
    capacity.requests_per_device =
        static_cast<std::int64_t>(std::floor(capacity.capacity_bytes / capacity.request_bytes));
    fit.max_batch = capacity.requests_per_device * pool.fabric.devices;
    fit.kv_capacity_bytes = pool.capacity_bytes * pool.fabric.devices;
    fit.kv_request_bytes = static_cast<double>(fit.request.kv_bytes);
    if (fit.max_batch == 0) fit.reason = shortage(pool, job, fit);
    return fit;
}

}  // namespace memside
