#include "engine/near_memory.h"

namespace memside::engine {
namespace {

thread_local std::size_t home = 0;

}  // namespace

std::vector<int> MemoryPlacement::numbers() const {
    std::vector<int> found;
    for (const NumaNode& node : nodes) found.push_back(node.number);
    return found;
}

unsigned MemoryPlacement::threads(unsigned given) const {
    if (given != 0 || nodes.empty()) return given;
    // Cores that serve a node without its own serve their own node too.
    std::vector<int> cpus;
    for (const NumaNode& node : nodes) cpus.insert(cpus.end(), node.cpus.begin(), node.cpus.end());
    std::ranges::sort(cpus);
    const auto last = std::ranges::unique(cpus).begin();
    return static_cast<unsigned>(std::max<std::ptrdiff_t>(last - cpus.begin(), 1));
}

void MemoryPlacement::start_thread(unsigned index) const {
    if (nodes.empty()) return;
    home = index % nodes.size();
    const std::vector<int>& cpus = nodes[home].cpus;
    // Nodes that share cores begin at different ones. Not being pinned costs time, not results.
    if (real && !cpus.empty()) pin_thread(cpus[(index / nodes.size() + home) % cpus.size()]);
}

std::size_t NearMemory::home_node() {
    return home;
}

}  // namespace memside::engine
