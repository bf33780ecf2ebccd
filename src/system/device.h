// The one interface behind which every device model stands: the roofline models of gpu/ and pnm/
// today, cycle-level ones in their place later. A device is asked for the cost of one operation.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/result.h"

namespace memside {

// y[m, n] = x[m, k] W[k, n] with W read from the device's memory. `m` is the batch.
struct Gemm {
    double m = 0, n = 0, k = 0;
    double weight_bytes = 0;      // of W as stored
    double activation_bytes = 0;  // of x and y
};

// Decode attention (QK^T, softmax, SV) of one new token each of `requests` requests.
struct Attention {
    double requests = 0;
    double query_heads = 0;
    double kv_heads = 0;
    double head_dim = 0;
    double tokens = 0;    // attended per request
    double kv_bits = 16;  // per stored value
    // Of a page whose K and V lie together; 0: all that is attended lies in one piece.
    double page_tokens = 0;
};

// score = sum_i max(q_i min_i, q_i max_i) of every page, here of all requests, and query head in a
// layer.
struct DigestScan {
    double pages = 0;
    double query_heads = 0;
    double kv_heads = 0;
    double head_dim = 0;
    double digest_bits = 16;  // per stored value; two values per channel and page
};

// The k best of `scores` page scores.
struct TopK {
    double scores = 0;
    double k = 0;
};

// Appends one token's K and V, and the share of building the digest of the page that it belongs to.
struct KvAppend {
    double kv_bytes = 0;           // written for the token
    double digest_read_bytes = 0;  // of the page read back, averaged over the page's tokens
    double digest_write_bytes = 0;
    double requests = 1;  // whose K and V rows are written, each at a place of its own
};

// Causal attention of a whole prompt to itself, in tiles that never leave the chip
// (FlashAttention): every token attends those before it, or the last ones of a window.
struct PromptAttention {
    double tokens = 0;  // of the prompt
    double pairs = 0;   // of a token and one that it attends, summed over the tokens
    double query_heads = 0;
    double kv_heads = 0;
    double head_dim = 0;
};

// Element-wise work (norms, residuals, activation, sampling): bound by the bytes it moves.
struct VectorOp {
    double bytes = 0;
    double flops = 0;
};

using Operation =
    std::variant<Gemm, Attention, PromptAttention, DigestScan, TopK, KvAppend, VectorOp>;

enum class Bound { memory, compute, latency };

struct OperationCost {
    double time_s = 0;
    double energy_j = 0;   // above idle: a device's idle power is charged for the whole step
    double access_j = 0;   // of energy_j: accesses to the device's memory
    double compute_j = 0;  // of energy_j: arithmetic; what is left is power x time
    double bytes = 0;      // read and written in the device's memory
    double flops = 0;
    Bound bound = Bound::memory;  // what the time is made of
};

class Device {
  public:
    virtual ~Device() = default;

    // bad_input naming the operation when the device has no unit for it.
    virtual Result<OperationCost> cost(const Operation& operation) const = 0;
    virtual double idle_power_w() const = 0;
    virtual double peak_power_w() const = 0;  // what the coarse energy model charges
    virtual const std::string& name() const = 0;
};

std::string operation_name(const Operation& operation);

}  // namespace memside
