// The roofline: an operation takes as long as the slower of moving its bytes and doing its
// arithmetic, plus a fixed start-up time. (Williams, Waterman, Patterson, CACM 2009.)
#pragma once

#include <limits>

#include "system/device.h"

namespace memside {

struct Roofline {
    double bytes_per_s = 0;     // peak x efficiency
    double flop_per_s = 0;      // peak x efficiency
    double latency_s = 0;       // fixed cost of one operation
    double active_power_w = 0;  // while an operation runs, whatever it does
    double idle_power_w = 0;
    double joules_per_byte = 0;  // of memory accesses, above active_power_w
    double joules_per_flop = 0;  // likewise
    // Mean power of an operation: accesses and arithmetic are charged up to it.
    double limit_power_w = std::numeric_limits<double>::infinity();

    // Time, energy above idle, and which of the three terms is the largest.
    OperationCost cost(double bytes, double flops) const;

    // The energy of an operation whose time, bytes and FLOPs are known.
    void charge(OperationCost& operation) const;
};

// Bytes and FLOPs of the operations that mean the same on every device.
double attention_kv_bytes(const Attention& op);  // K and V of all attended tokens, read once
double attention_flops(const Attention& op);     // 4 x query_heads x head_dim per token
double digest_bytes(const DigestScan& op);       // two vectors per page and KV head
double prompt_attention_flops(const PromptAttention& op);  // 4 x query_heads x head_dim per pair

}  // namespace memside
