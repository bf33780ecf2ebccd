// Where the KV of requests lies that come, grow and leave: the allocators of kv/ (allocation.h) of
// all devices that a policy fills.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cluster/batch.h"
#include "kv/allocation.h"

namespace memside {

// One memory, and what a request of so many tokens takes of it; never less for more tokens.
struct MemoryPool {
    std::unique_ptr<kv::KvAllocator> allocator;
    std::function<std::int64_t(std::int64_t tokens)> bytes;
};

class ServingMemory {
  public:
    virtual ~ServingMemory() = default;

    // Takes in a request with room for `tokens`. False when there is none; then nothing changed.
    virtual bool admit(kv::RequestId request, std::int64_t tokens) = 0;
    // No further request comes in at this instant: those that just did may be moved, as nothing of
    // them has been used yet.
    virtual void settle() {}
    // Room for `tokens` in all, not less than before. False when there is none: the request keeps
    // what it had, may ask again or leave.
    virtual bool grow(kv::RequestId request, std::int64_t tokens) = 0;
    virtual void release(kv::RequestId request) = 0;

    // The device that holds the request; 0 where all hold a share of each.
    virtual std::size_t device_of(kv::RequestId) const { return 0; }
    // Live bytes on the fullest device over the mean; 1 where all hold a share of each.
    virtual double load_imbalance() const { return 1.0; }
};

// Every request takes a share of each pool: stages of a pipeline, HBM beside CXL memory.
std::unique_ptr<ServingMemory> make_shared_memory(std::vector<MemoryPool> pools);

// A request lies in one pool: the least loaded one, or with Placement::round_robin the next in
// turn. With Placement::lpt requests that come in at one instant are dealt anew, the longest
// first, if all of them fit so. Pools are alike, at least one.
std::unique_ptr<ServingMemory> make_placed_memory(std::vector<MemoryPool> pools,
                                                  Placement placement);

}  // namespace memside
