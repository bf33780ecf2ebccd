// What it takes to run a program on the channels of one module, in time: options, and the result.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pim/instruction.h"
#include "pim/program.h"
#include "pim/timing.h"

namespace memside::pim {

enum class Scheduler : std::uint8_t {
    in_order,   // every channel strictly in program order: the public simulator's rule
    ping_pong,  // GBuf and accumulators in two halves: transfers of one half behind MACs on the
                // other
    dcs,  // dynamic command scheduling of PIMphony: two queues and a dependency per buffer entry
};

enum class RefreshMode : std::uint8_t { off, all_bank, per_bank };

struct SimulationOptions {
    Scheduler scheduler = Scheduler::in_order;
    RefreshMode refresh = RefreshMode::all_bank;
    // dcs: an entry of a buffer changes sides only nMODCH cycles after its last command completes.
    bool dcs_handover = false;
    bool record_trace = false;  // fills SimulationResult::trace
};

// What a channel does in a cycle. Each cycle of a channel counts for exactly one, so that they add
// up to the run's cycles.
enum class Activity : std::uint8_t {
    mac,            // nCCDS for each MAC16 or MAC
    other_compute,  // AF16, EWMUL16
    row,            // until ACT, PRE and their all-bank forms let the next command go
    refresh,
    gbuf_transfer,    // WRGB, RDCP, WRCP
    output_transfer,  // RDMAC16, RDAF16, WRMAC16
    bank_transfer,    // RD, WR, WRA16
    mode_switch,      // TMOD
    waiting,          // for the host, for other channels, or for nothing: the channel is idle
};
inline constexpr std::size_t activity_count = 9;

// A stretch of time in a channel, for the timeline.
struct TraceEvent {
    std::uint64_t start = 0;    // cycle of issue
    std::uint32_t cycles = 0;   // until the channel goes on
    std::uint32_t repeats = 1;  // commands in a run, nCCDS apart
    std::uint8_t channel = 0;
    Command command = Command::act;
};

struct ChannelResult {
    std::array<std::uint64_t, command_count> commands{};
    std::array<std::uint64_t, activity_count> activity_cycles{};
    bool addressed = false;  // by some instruction
};

struct SimulationResult {
    std::uint64_t cycles = 0;
    std::array<ChannelResult, channel_count> channels;
    std::vector<TraceEvent> trace;
    std::vector<std::uint64_t> sync_cycles;  // in which each SYNC was answered, in order
    std::vector<std::string> warnings;

    std::array<std::uint64_t, command_count> commands() const;  // summed over channels
    // MAC16 commands x nCCDS / cycles, mean over the addressed channels; 0 without any.
    double mac_utilization(const Timing& timing) const;
};

// Runs `program` under the scheduler of the options. A program that does not end with EOC ends as
// if it did. Errors: an operand out of range, an instruction that the scheduler does not model.
Result<SimulationResult> simulate(const Program& program, const Timing& timing,
                                  const SimulationOptions& options);

}  // namespace memside::pim
