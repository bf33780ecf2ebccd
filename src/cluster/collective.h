// All-reduce among the GPUs of tensor parallelism.
#pragma once

#include "system/system_spec.h"

namespace memside {

// A link over which GPUs reduce together. Rates per GPU and direction, efficiency applied.
struct CollectiveLink {
    double ring_bytes_per_s = 0;  // under the ring's protocol
    double tree_bytes_per_s = 0;  // under the tree's
    double ring_base_s = 0;       // start-up of one collective
    double tree_base_s = 0;
    double ring_step_s = 0;
    double tree_step_s = 0;
    double energy_j_per_byte = 0;
};

CollectiveLink read_collective_link(ConstantReader& constants, std::string_view role);

// Time to all-reduce `bytes` over `ranks` GPUs of a node: the faster of a ring, 2(n-1) steps and
// 2(n-1)/n of the bytes over each link, and a tree whose GPUs form a chain, 2(n-1) steps and all
// bytes twice. Each with the latencies and the bandwidth share of one protocol: NCCL's LL128 for
// the ring, its LL, quick to start and slow to stream, for the tree.
double all_reduce_s(const CollectiveLink& link, int ranks, double bytes);

// Reduce-scatter inside each node, all-reduce of one shard per GPU between nodes, all-gather
// inside: rings inside, the faster of ring and binary tree between. One collective starts up once.
// With one node it is all_reduce_s.
double hierarchical_all_reduce_s(const CollectiveLink& inside, int ranks_per_node,
                                 const CollectiveLink& between, int nodes, double bytes);

// Bytes that cross links in a ring all-reduce, all ranks together: 2 (n-1) bytes.
double all_reduce_link_bytes(int ranks, double bytes);

}  // namespace memside
