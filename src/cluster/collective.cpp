#include "cluster/collective.h"

#include <algorithm>
#include <cmath>

namespace memside {

CollectiveLink read_collective_link(ConstantReader& constants, std::string_view role) {
    const auto read = [&](std::string_view key) { return constants.value(role, key); };
    const double bytes_per_s = read("bandwidth") * read("efficiency");
    CollectiveLink link;
    link.ring_bytes_per_s = bytes_per_s * read("ring_share");
    link.tree_bytes_per_s = bytes_per_s * read("tree_share");
    link.ring_base_s = read("ring_base_latency");
    link.tree_base_s = read("tree_base_latency");
    link.ring_step_s = read("ring_step_latency");
    link.tree_step_s = read("tree_step_latency");
    link.energy_j_per_byte = read("energy");
    return link;
}

namespace {

double ring_s(const CollectiveLink& link, int ranks, double bytes) {
    const double n = ranks;
    return 2.0 * (n - 1.0) * link.ring_step_s + 2.0 * (n - 1.0) / n * bytes / link.ring_bytes_per_s;
}

double tree_s(const CollectiveLink& link, double steps, double bytes) {
    return 2.0 * steps * link.tree_step_s + 2.0 * bytes / link.tree_bytes_per_s;
}

}  // namespace

double all_reduce_s(const CollectiveLink& link, int ranks, double bytes) {
    if (ranks <= 1) return 0.0;
    return std::min(link.ring_base_s + ring_s(link, ranks, bytes),
                    link.tree_base_s + tree_s(link, ranks - 1.0, bytes));
}

double hierarchical_all_reduce_s(const CollectiveLink& inside, int ranks_per_node,
                                 const CollectiveLink& between, int nodes, double bytes) {
    if (nodes <= 1) return all_reduce_s(inside, ranks_per_node, bytes);
    const double shard = bytes / ranks_per_node;
    const double across = std::min(ring_s(between, nodes, shard),
                                   tree_s(between, std::ceil(std::log2(nodes)), shard));
    return between.ring_base_s + ring_s(inside, ranks_per_node, bytes) + across;
}

double all_reduce_link_bytes(int ranks, double bytes) {
    return ranks <= 1 ? 0.0 : 2.0 * (ranks - 1) * bytes;
}

}  // namespace memside
