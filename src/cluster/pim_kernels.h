// Kernels of a DRAM-PIM module, in time: what policies put layers together from. A kernel is that
// of one group of 32 channels; commands are counted, so that energy and MACs follow from what ran.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "cluster/pim_overlap.h"
#include "kv/pages.h"
#include "pim/dynamic/dynamic_program.h"
#include "pim/dynamic/hub_timing.h"
#include "pim/energy.h"
#include "pim/simulation.h"

namespace memside {

// How heads and tokens lie in a module (PIMphony, sections 3 and 4).
enum class PimPartition : std::uint8_t {
    hfp,  // a (KV head, request) pair in each channel, all in lockstep
    tcp,  // all channels on one KV head of one request
};

// What a program on a module may rely on.
struct PimProgramOptions {
    PimPartition partition = PimPartition::tcp;
    pim::Scheduler scheduler = pim::Scheduler::dcs;
    bool row_reuse = true;  // the queries of a KV head share a row while it is open
    bool refresh = true;    // of all banks of a channel at once
    // A compiled attention of the user's, of all heads of a module for one request; else programs
    // are made for each shape.
    std::shared_ptr<const pim::DynamicProgram> attention = nullptr;
};

// Attention of one decode step: the new token's way into the caches, QK^T, softmax and SV.
struct PimAttention {
    std::uint32_t pairs = 1;  // (KV head, request) pairs in lockstep; of TCP 1
    std::uint32_t group = 1;  // query heads of a pair
    std::uint32_t head_dim = 0;
    std::int64_t tokens = 0;  // of each pair, the new one included
    // Registers for two heads in flight: a block's scores have half of them.
    bool doubled = false;
};

// Attention of one KV head over the pages that a step selects (TCP): the new token's way into cache
// and digest, the scan of digests, the choice of pages, and attention over them.
struct PimSelected {
    std::uint32_t group = 1;
    std::uint32_t head_dim = 0;
    std::int64_t tokens = 0;  // of the request, the new one included
    std::uint32_t page_tokens = 0;
    kv::PageList pages{};  // that are selected, at least one
    bool doubled = false;
};

// y = W x with W of rows x columns in the banks.
struct PimGemv {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
};

struct PimKernelTime {
    double time_s = 0;
    double hub_s = 0;           // of time_s: the extra processing unit, channels wait
    double scan_s = 0;          // of time_s - hub_s: digests are scored
    double top_k_s = 0;         // of hub_s: pages are picked
    double open_channel_s = 0;  // sum over the channels that open rows of the time
    std::array<std::uint64_t, pim::command_count> commands{};  // of all channels
    PimBlocks blocks;  // of a doubled attention, by block; they sum to time_s

    std::uint64_t count(pim::Command command) const {
        return commands[static_cast<std::size_t>(command)];
    }
    // What the MAC units do: 16 banks x 16 lanes in each MAC16.
    double macs() const;
    // `times` such kernels one after the other; without their blocks.
    PimKernelTime& add(const PimKernelTime& other, double times = 1);
};

class PimKernels {
  public:
    virtual ~PimKernels() = default;
    virtual Result<PimKernelTime> attention(const PimAttention& shape) = 0;
    virtual Result<PimKernelTime> gemv(const PimGemv& shape) = 0;
    // bad_input by default: not every set of kernels selects pages.
    virtual Result<PimKernelTime> selected(const PimSelected& shape);
    // Of an instruction of the extra processing unit by itself.
    virtual double hub_s(const pim::HubInstruction& hub) const = 0;
};

// What a module's clock and hub are described by; systems/timing and systems/pim have the files.
struct PimDescription {
    pim::Timing timing;
    pim::HubTiming hub;
    pim::EnergyModel energy;
};
Result<PimDescription> read_pim_description();

// The program of an attention: what `memside compile --kernel attention` emits for such heads
// (compiler/encode/attention_program.h), or the user's.
Result<pim::DynamicProgram> attention_program(const PimAttention& shape,
                                              const PimProgramOptions& options);

// Kernels as programs for the module, timed command by command. The description outlives it.
std::unique_ptr<PimKernels> make_program_kernels(const PimDescription& description,
                                                 const PimProgramOptions& options);

// Remembers times by shape, in memory and, with a `folder`, in a file there that other processes
// share. `kernels` run what is not remembered. Attention is remembered for whole granules of
// tokens: what a column of all channels of a pair holds.
struct PimCacheStatistics {
    std::uint64_t from_memory = 0;
    std::uint64_t from_file = 0;
    std::uint64_t simulated = 0;
};
class RememberedKernels : public PimKernels {
  public:
    RememberedKernels(PimKernels& kernels, const PimDescription& description,
                      const PimProgramOptions& options, std::string folder);
    ~RememberedKernels() override;

    Result<PimKernelTime> attention(const PimAttention& shape) override;
    Result<PimKernelTime> gemv(const PimGemv& shape) override;
    Result<PimKernelTime> selected(const PimSelected& shape) override;
    double hub_s(const pim::HubInstruction& hub) const override { return kernels_.hub_s(hub); }

    // Adds what is new to the file. An environment error when the folder cannot be written.
    Status save();
    const PimCacheStatistics& statistics() const { return statistics_; }

  private:
    struct Store;
    Result<PimKernelTime> look_up(const std::string& key,
                                  const std::function<Result<PimKernelTime>()>& run);

    PimKernels& kernels_;
    PimProgramOptions options_;
    std::uint32_t program_checksum_ = 0;  // of options_.attention
    std::unique_ptr<Store> store_;
    PimCacheStatistics statistics_;
};

// $XDG_CACHE_HOME/memside/pim-kernels, else ~/.cache/memside/pim-kernels; "" without a home.
std::string default_pim_cache_folder();

}  // namespace memside
