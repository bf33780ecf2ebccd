#include "engine/numa_topology.h"

#include <hwloc.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace memside::engine {
namespace {

class Hwloc {
  public:
    Hwloc() { made_ = hwloc_topology_init(&topology_) == 0; }
    Hwloc(const Hwloc&) = delete;
    Hwloc& operator=(const Hwloc&) = delete;
    ~Hwloc() {
        if (made_) hwloc_topology_destroy(topology_);
    }

    bool describe(const std::string& text) {
        return made_ && hwloc_topology_set_synthetic(topology_, text.c_str()) == 0;
    }
    bool load() { return made_ && hwloc_topology_load(topology_) == 0; }
    hwloc_topology_t get() const { return topology_; }

    std::vector<hwloc_obj_t> all(hwloc_obj_type_t type) const {
        std::vector<hwloc_obj_t> found;
        for (hwloc_obj_t object = hwloc_get_next_obj_by_type(topology_, type, nullptr);
             object != nullptr; object = hwloc_get_next_obj_by_type(topology_, type, object)) {
            found.push_back(object);
        }
        return found;
    }

  private:
    hwloc_topology_t topology_ = nullptr;
    bool made_ = false;
};

using Distances = std::vector<std::vector<unsigned long>>;

// Between nodes in hwloc's order: as the machine says, else by cores that they share.
Distances distances_of(const Hwloc& hwloc, const std::vector<hwloc_obj_t>& nodes) {
    Distances between(nodes.size(), std::vector<unsigned long>(nodes.size(), 0));
    unsigned count = 1;
    hwloc_distances_s* said = nullptr;
    const bool known = hwloc_distances_get_by_type(hwloc.get(), HWLOC_OBJ_NUMANODE, &count, &said,
                                                   HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) == 0 &&
                       count > 0 && said->nbobjs == nodes.size();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (std::size_t j = 0; j < nodes.size(); ++j) {
            if (known) {
                between[said->objs[i]->logical_index][said->objs[j]->logical_index] =
                    said->values[i * nodes.size() + j];
            } else if (i != j) {
                between[i][j] = hwloc_bitmap_intersects(nodes[i]->cpuset, nodes[j]->cpuset) ? 1 : 2;
            }
        }
    }
    if (count > 0 && said != nullptr) hwloc_distances_release(hwloc.get(), said);
    return between;
}

// A unit belongs to the node that the fewest units share: memory further up in the tree is near to
// many.
std::size_t owner_of(hwloc_obj_t unit, const std::vector<hwloc_obj_t>& nodes) {
    std::size_t owner = nodes.size();
    int fewest = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!hwloc_bitmap_isset(nodes[i]->cpuset, unit->os_index)) continue;
        const int units = hwloc_bitmap_weight(nodes[i]->cpuset);
        if (owner != nodes.size() && units >= fewest) continue;
        owner = i;
        fewest = units;
    }
    return owner;
}

std::vector<NumaNode> nodes_of(const Hwloc& hwloc) {
    const std::vector<hwloc_obj_t> objects = hwloc.all(HWLOC_OBJ_NUMANODE);
    std::vector<NumaNode> nodes;
    for (const hwloc_obj_t object : objects) {
        nodes.push_back({static_cast<int>(object->os_index), true, {}});
    }
    for (const hwloc_obj_t unit : hwloc.all(HWLOC_OBJ_PU)) {
        const std::size_t owner = owner_of(unit, objects);
        if (owner < nodes.size()) nodes[owner].cpus.push_back(static_cast<int>(unit->os_index));
    }
    const Distances between = distances_of(hwloc, objects);
    for (NumaNode& node : nodes) node.own_cores = !node.cpus.empty();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].own_cores) continue;
        unsigned long least = ~0UL;
        for (std::size_t j = 0; j < nodes.size(); ++j) {
            if (nodes[j].own_cores) least = std::min(least, between[i][j]);
        }
        for (std::size_t j = 0; j < nodes.size(); ++j) {
            if (!nodes[j].own_cores || between[i][j] != least) continue;
            nodes[i].cpus.insert(nodes[i].cpus.end(), nodes[j].cpus.begin(), nodes[j].cpus.end());
        }
    }
    return nodes;
}

}  // namespace

Result<NumaTopology> NumaTopology::of_machine() {
    Hwloc hwloc;
    NumaTopology topology;
    if (hwloc.load()) topology.nodes_ = nodes_of(hwloc);
    if (topology.nodes_.empty() || topology.nodes_.front().cpus.empty()) {
        return Error{"", "the memory nodes of this machine cannot be found out",
                     Error::Kind::environment};
    }
    return topology;
}

Result<NumaTopology> NumaTopology::synthetic(const std::string& description,
                                             const std::vector<unsigned long>& distances) {
    Hwloc hwloc;
    const Error refused =
        bad_input("", fmt::format("hwloc takes no topology {}", in_quotes(description)));
    if (!hwloc.describe(description) || !hwloc.load()) return refused;
    if (!distances.empty()) {
        std::vector<hwloc_obj_t> nodes = hwloc.all(HWLOC_OBJ_NUMANODE);
        if (distances.size() != nodes.size() * nodes.size()) return refused;
        std::vector<hwloc_uint64_t> values(distances.begin(), distances.end());
        const hwloc_distances_add_handle_t handle = hwloc_distances_add_create(
            hwloc.get(), "given",
            HWLOC_DISTANCES_KIND_FROM_USER | HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);
        if (handle == nullptr ||
            hwloc_distances_add_values(hwloc.get(), handle, static_cast<unsigned>(nodes.size()),
                                       nodes.data(), values.data(), 0) != 0 ||
            hwloc_distances_add_commit(hwloc.get(), handle, 0) != 0) {
            return refused;
        }
    }
    NumaTopology topology;
    topology.nodes_ = nodes_of(hwloc);
    return topology;
}

Result<std::vector<NumaNode>> NumaTopology::find(const std::vector<int>& numbers,
                                                 const std::string& where) const {
    std::vector<std::string> names;
    for (const NumaNode& node : nodes_) names.push_back(std::to_string(node.number));
    std::vector<NumaNode> found;
    for (const int number : numbers) {
        const auto node = std::ranges::find(nodes_, number, &NumaNode::number);
        if (node == nodes_.end()) {
            return bad_input(where, fmt::format("there is no memory node {}; this machine has {}",
                                                number, fmt::join(names, ", ")));
        }
        if (std::ranges::count(found, number, &NumaNode::number) > 0) {
            return bad_input(where, fmt::format("memory node {} is named twice", number));
        }
        found.push_back(*node);
    }
    return found;
}

Status bind_memory(std::byte* start, std::size_t bytes, const std::vector<int>& nodes) {
    constexpr unsigned word_bits = 8 * sizeof(unsigned long);
    std::vector<unsigned long> mask;
    for (const int node : nodes) {
        const auto bit = static_cast<unsigned>(node);
        if (mask.size() <= bit / word_bits) mask.resize(bit / word_bits + 1, 0);
        mask[bit / word_bits] |= 1UL << bit % word_bits;
    }
    const int mode = nodes.size() == 1 ? MPOL_BIND : MPOL_INTERLEAVE;
    // The kernel reads one bit less than it is told.
    if (bytes == 0 || ::syscall(SYS_mbind, start, bytes, mode, mask.data(),
                                mask.size() * word_bits + 1, 0) == 0) {
        return {};
    }
    return Error{"",
                 fmt::format("cannot bind memory to node {}: {}", fmt::join(nodes, ", "),
                             std::strerror(errno)),
                 Error::Kind::environment};
}

bool pin_thread(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace memside::engine
