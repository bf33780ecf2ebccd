// What all probes of a calibration share: threads, memory to read that is far larger than the
// cache, and a file of weights.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "calibrate/probe.h"
#include "engine/huge_memory.h"
#include "engine/mapped_file.h"
#include "engine/thread_pool.h"

namespace memside::calibrate {

class Workbench {
  public:
    // Makes a file of weights in `folder`, maps it as a model is mapped, and unlinks it.
    // environment when it cannot be written, infeasible when the machine has not the memory.
    static Result<std::unique_ptr<Workbench>> make(unsigned threads, const std::string& folder);

    engine::ThreadPool& single() { return single_; }
    engine::ThreadPool& all() { return all_; }

    // Bytes of huge_memory() and of weights().
    std::int64_t bytes() const { return bytes_; }
    std::byte* memory() { return memory_.data(); }
    // In the pages that the system maps a model's file with.
    const std::uint8_t* weights() const { return weights_->data(); }
    // The next `bytes` of them, which nobody has read since the whole file was.
    const std::uint8_t* next_weights(std::int64_t bytes);

    // Puts other data into the caches, as the other work of a step does.
    void evict();

  private:
    explicit Workbench(unsigned threads) : single_(1), all_(threads) {}

    engine::ThreadPool single_;
    engine::ThreadPool all_;
    std::int64_t bytes_ = 0;
    engine::HugeMemory memory_;
    std::optional<engine::MappedFile> weights_;
    std::int64_t next_weights_ = 0;
    std::uint64_t sink_ = 0;  // keeps the compiler from leaving out the reads
};

// Sums the 8-byte words of [from, from + bytes), which are read; both multiples of 128. With
// `ahead` the same part of another piece is fetched to level 2 meanwhile.
std::uint64_t read_words(const std::byte* from, std::int64_t bytes, const std::byte* ahead);

// Working sets, in MiB, that are read again and again to see which of them the cache holds.
inline constexpr int cache_points[] = {4, 8, 16, 32, 64, 128, 256};

// The probes of each subject, for one pool; their names are told apart by `prefix`.
Status add_memory_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                         ProbeSet& probes);
void add_matmul_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                       ProbeSet& probes);
Status add_attention_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                            ProbeSet& probes);
Status add_selection_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                            ProbeSet& probes);
// Of one thread.
Status add_value_probes(const std::string& prefix, ProbeSet& probes);

// Bytes per second at which a file in `folder` is read past the system's cache.
Result<Sample> measure_disk(const std::string& folder);

}  // namespace memside::calibrate
