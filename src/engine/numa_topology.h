// The memory nodes of a machine and the cores next to them. A CXL memory expander is a node without
// cores: the nearest ones serve it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace memside::engine {

struct NumaNode {
    int number = 0;         // as the operating system counts
    bool own_cores = true;  // else `cpus` are those of the nearest nodes that have some
    std::vector<int> cpus;  // processing units, as the operating system counts
};

class NumaTopology {
  public:
    // This machine, as far as the process may use it. environment when it cannot be found out.
    static Result<NumaTopology> of_machine();

    // A machine that is not there, for tests: hwloc's description ("pack:2 [numa] core:2 pu:1") and
    // what lies between nodes, [nodes][nodes], smaller is nearer; empty: those that share cores are
    // nearer than those that share none. bad_input when hwloc does not take it.
    static Result<NumaTopology> synthetic(const std::string& description,
                                          const std::vector<unsigned long>& distances = {});

    const std::vector<NumaNode>& nodes() const { return nodes_; }

    // The nodes of these numbers, in this order. bad_input, which lists what there is, for one that
    // is not there or is named twice.
    Result<std::vector<NumaNode>> find(const std::vector<int>& numbers,
                                       const std::string& where) const;

  private:
    std::vector<NumaNode> nodes_;
};

// Has memory come from these nodes when it is touched first: from one of them, or page by page of
// the operating system from each in turn. environment when the system refuses.
Status bind_memory(std::byte* start, std::size_t bytes, const std::vector<int>& nodes);

// Keeps the calling thread on one processing unit; false when the system refuses.
bool pin_thread(int cpu);

}  // namespace memside::engine
