#include "cluster/collective.h"

#include <algorithm>
#include <cmath>

namespace memside {

CollectiveLink read_collective_link(ConstantReader& constants, std::string_view role) {
    CollectiveLink link;
    link.bytes_per_s = constants.value(role, "bandwidth") * constants.value(role, "efficiency");
    link.base_latency_s = constants.value(role, "base_latency");
    link.ring_step_latency_s = constants.value(role, "ring_step_latency");
    link.tree_step_latency_s = constants.value(role, "tree_step_latency");
    link.energy_j_per_byte = constants.value(role, "energy");
    return link;
}

double all_reduce_s(const CollectiveLink& link, int ranks, double bytes) {
    if (ranks <= 1) return 0.0;
    const double n = ranks;
    const double ring =
        2.0 * (n - 1.0) * link.ring_step_latency_s + 2.0 * (n - 1.0) / n * bytes / link.bytes_per_s;
    const double tree =
        2.0 * std::ceil(std::log2(n)) * link.tree_step_latency_s + 2.0 * bytes / link.bytes_per_s;
    return link.base_latency_s + std::min(ring, tree);
}

double hierarchical_all_reduce_s(const CollectiveLink& inside, int ranks_per_node,
                                 const CollectiveLink& between, int nodes, double bytes) {
    if (nodes <= 1) return all_reduce_s(inside, ranks_per_node, bytes);
    const double shard = bytes / ranks_per_node;
    return all_reduce_s(inside, ranks_per_node, bytes) + all_reduce_s(between, nodes, shard);
}

double all_reduce_link_bytes(int ranks, double bytes) {
    return ranks <= 1 ? 0.0 : 2.0 * (ranks - 1) * bytes;
}

}  // namespace memside
