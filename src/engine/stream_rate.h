// How fast this machine reads memory right now: what attention is compared with.
#pragma once

#include <cstdint>

#include "engine/huge_memory.h"
#include "engine/thread_pool.h"

namespace memside::engine {

// Bytes of the last-level cache; 32 MiB where the system does not say.
std::int64_t last_level_cache_bytes();

// Reads memory of its own, in huge pages and far larger than the cache, in order.
class StreamRate {
  public:
    // `bytes` of memory, written once so that it exists.
    static Result<StreamRate> make(std::int64_t bytes, ThreadPool& pool);

    // Reads all of it once, each thread a part of its own; bytes per second.
    double measure(ThreadPool& pool);

  private:
    HugeMemory memory_;
    std::uint64_t sink_ = 0;  // keeps the compiler from leaving out the reads
};

}  // namespace memside::engine
