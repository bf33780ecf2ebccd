#include "system/roofline.h"

#include <algorithm>

namespace memside {

OperationCost Roofline::cost(double bytes, double flops) const {
    OperationCost result;
    const double memory_s = bytes / bytes_per_s;
    const double compute_s = flops / flop_per_s;
    result.time_s = std::max(memory_s, compute_s) + latency_s;
    result.bound = memory_s >= compute_s ? Bound::memory : Bound::compute;
    if (latency_s > std::max(memory_s, compute_s)) result.bound = Bound::latency;
    result.bytes = bytes;
    result.flops = flops;
    charge(result);
    return result;
}

void Roofline::charge(OperationCost& operation) const {
    const double access_j = joules_per_byte * operation.bytes;
    const double compute_j = joules_per_flop * operation.flops;
    const double most_j = (limit_power_w - active_power_w) * operation.time_s;
    const double share =
        access_j + compute_j > most_j ? std::max(0.0, most_j) / (access_j + compute_j) : 1.0;
    operation.access_j = share * access_j;
    operation.compute_j = share * compute_j;
    operation.energy_j = (active_power_w - idle_power_w) * operation.time_s + operation.access_j +
                         operation.compute_j;
}

double attention_kv_bytes(const Attention& op) {
    return op.requests * op.tokens * 2.0 * op.kv_heads * op.head_dim * op.kv_bits / 8.0;
}

double attention_flops(const Attention& op) {
    return op.requests * op.tokens * 4.0 * op.query_heads * op.head_dim;
}

double prompt_attention_flops(const PromptAttention& op) {
    return op.pairs * 4.0 * op.query_heads * op.head_dim;
}

double digest_bytes(const DigestScan& op) {
    return op.pages * 2.0 * op.kv_heads * op.head_dim * op.digest_bits / 8.0;
}

}  // namespace memside
