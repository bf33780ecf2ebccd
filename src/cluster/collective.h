// All-reduce among the GPUs of tensor parallelism.
#pragma once

#include "system/system_spec.h"

namespace memside {

// A link over which GPUs reduce together. Rates per GPU and direction, efficiency applied.
struct CollectiveLink {
    double bytes_per_s = 0;
    double base_latency_s = 0;       // start-up of one collective
    double ring_step_latency_s = 0;  // per step of a ring
    double tree_step_latency_s = 0;  // per step of a tree
    double energy_j_per_byte = 0;
};

CollectiveLink read_collective_link(ConstantReader& constants, std::string_view role);

// Time to all-reduce `bytes` over `ranks` GPUs: the faster of a ring, 2(n-1) steps with bytes/n
// each, and a tree, 2 ceil(log2 n) steps, pipelined, with all bytes up and down. (The form of
// NCCL's own tuning model; latencies per step are those of the link.)
double all_reduce_s(const CollectiveLink& link, int ranks, double bytes);

// Within nodes, then between them, then within again: reduce-scatter, all-reduce of one shard per
// GPU, all-gather. With one node it is all_reduce_s.
double hierarchical_all_reduce_s(const CollectiveLink& inside, int ranks_per_node,
                                 const CollectiveLink& between, int nodes, double bytes);

// Bytes that cross links in a ring all-reduce, all ranks together: 2 (n-1) bytes.
double all_reduce_link_bytes(int ranks, double bytes);

}  // namespace memside
