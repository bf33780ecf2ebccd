// Threads by the memory node that they are next to, and loops whose parts each belong to one node:
// its threads do them, and those of others only what is left then.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/numa_topology.h"
#include "engine/thread_pool.h"

namespace memside::engine {

// Where keys and values are kept. No nodes: wherever the system puts them.
struct MemoryPlacement {
    std::vector<NumaNode> nodes;
    bool real = true;  // false: a machine that is not there; nothing is bound, no thread pinned

    int count() const { return std::max(static_cast<int>(nodes.size()), 1); }
    std::vector<int> numbers() const;
    // The threads that serve the nodes, unless their number is given: a thread per processing unit.
    unsigned threads(unsigned given) const;
    // For ThreadPool: what thread `index` does first. It joins a node, in turn.
    void start_thread(unsigned index) const;
};

class NearMemory {
  public:
    NearMemory(ThreadPool& pool, int nodes)
        : pool_(pool), next_(std::make_unique<Counter[]>(static_cast<std::size_t>(nodes))) {}

    // Calls body(node, i) once for every i in [0, counts[node]), otherwise as ThreadPool::run().
    template <typename Body>
    void run(std::span<const std::int64_t> counts, const Body& body) {
        const std::size_t nodes = counts.size();
        for (std::size_t node = 0; node < nodes; ++node) {
            next_[node].value.store(0, std::memory_order_relaxed);
        }
        // Whoever comes drains its own node and then the others, so that nothing waits for a thread
        // that is late.
        pool_.run(pool_.threads(), [&](std::int64_t) {
            const std::size_t home = home_node() % nodes;
            for (std::size_t k = 0; k < nodes; ++k) {
                const std::size_t node = (home + k) % nodes;
                for (;;) {
                    const std::int64_t i =
                        next_[node].value.fetch_add(1, std::memory_order_relaxed);
                    if (i >= counts[node]) break;
                    body(static_cast<int>(node), i);
                }
            }
        });
    }

    // The node, by its place in the placement, that the calling thread has joined.
    static std::size_t home_node();

  private:
    struct alignas(64) Counter {
        std::atomic<std::int64_t> value{0};
    };

    ThreadPool& pool_;
    std::unique_ptr<Counter[]> next_;  // the first index of each node that nobody has taken
};

}  // namespace memside::engine
