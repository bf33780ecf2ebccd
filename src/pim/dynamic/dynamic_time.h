// A dynamic program in time: its AiM instructions under any scheduler of pim::simulate, with the
// hub's latencies between them. Memory does not grow with the context: instructions are simulated
// in batches.
#pragma once

#include <array>

#include "pim/dynamic/expansion.h"
#include "pim/dynamic/hub_timing.h"
#include "pim/simulation.h"

namespace memside::pim {

// What the module does between two hand-overs of the channels and the hub: AiM instructions until
// all channels are idle, or one hub instruction.
struct Stretch {
    bool hub = false;
    HubOp op = HubOp::fill;  // of a hub's
    double ns = 0;
};

struct DynamicTime {
    // Cycles and activities of the whole run: hub time is `waiting` of the addressed channels.
    // Without a trace.
    SimulationResult result;
    std::uint64_t aim_cycles = 0;
    std::uint64_t hub_cycles = 0;  // in cycles of the channels' clock
    std::uint64_t instructions = 0;
    std::uint64_t batches = 0;
    std::array<double, hub_op_count> hub_ns{};  // by operation
    std::array<std::uint64_t, hub_op_count> hub_calls{};
    std::vector<Stretch> stretches;  // in program order; they sum to the run
};

// Takes an expansion and adds up its time. Between hub instructions stands a SYNC; a batch ends
// with one too: all channels wait for the slowest.
class TimeSink : public Sink {
  public:
    static constexpr std::size_t batch_instructions = 1U << 15;

    // The three outlive the sink. The options' trace is not recorded.
    TimeSink(const Timing& timing, const HubTiming& hub_timing, const SimulationOptions& options,
             std::size_t batch = batch_instructions);

    Status instruction(const Instruction& instruction) override;
    Status hub(const HubCall& call) override;
    // The hub works on something that it has no instruction for.
    void hub_work(HubOp op, double ns);
    // So many stretches have begun.
    std::size_t stretches() const { return time_.stretches.size(); }
    // Simulates what is left. Call it once, last.
    Result<DynamicTime> finish();

  private:
    Status simulate_batch();
    void end_stretch();

    const Timing& timing_;
    const HubTiming& hub_timing_;
    SimulationOptions options_;
    std::size_t batch_;
    Program program_;
    double hub_ns_ = 0;
    bool in_stretch_ = false;                  // the last stretch is of the channels and goes on
    std::vector<std::size_t> sync_stretches_;  // of the batch: the stretch that each SYNC ends
    DynamicTime time_;
};

}  // namespace memside::pim
