#include "pim/dynamic/dynamic_time.h"

#include <algorithm>
#include <cmath>

namespace memside::pim {

TimeSink::TimeSink(const Timing& timing, const HubTiming& hub_timing,
                   const SimulationOptions& options, std::size_t batch)
    : timing_(timing), hub_timing_(hub_timing), options_(options), batch_(batch) {
    options_.record_trace = false;
    program_.instructions.reserve(batch_ + 1);
}

Status TimeSink::instruction(const Instruction& instruction) {
    program_.instructions.push_back(instruction);
    if (!in_stretch_) time_.stretches.push_back({});
    in_stretch_ = true;
    if (instruction.opcode == Opcode::sync) {
        sync_stretches_.push_back(time_.stretches.size() - 1);
    }
    ++time_.instructions;
    if (program_.instructions.size() < batch_) return {};
    return simulate_batch();
}

Status TimeSink::hub(const HubCall& call) {
    hub_work(call.hub.op, hub_timing_.ns(call));
    return {};
}

void TimeSink::hub_work(HubOp op, double ns) {
    time_.hub_ns[static_cast<std::size_t>(op)] += ns;
    ++time_.hub_calls[static_cast<std::size_t>(op)];
    hub_ns_ += ns;
    end_stretch();
    // One after the other they are one stretch.
    const bool more =
        !time_.stretches.empty() && time_.stretches.back().hub && time_.stretches.back().op == op;
    if (!more) time_.stretches.push_back({true, op, 0});
    time_.stretches.back().ns += ns;
}

void TimeSink::end_stretch() {
    const bool apart =
        !program_.instructions.empty() && program_.instructions.back().opcode != Opcode::sync;
    if (apart) {
        program_.instructions.push_back({.opcode = Opcode::sync});
        sync_stretches_.push_back(time_.stretches.size() - 1);
    }
    in_stretch_ = false;
}

Status TimeSink::simulate_batch() {
    MEMSIDE_TRY(const SimulationResult part, simulate(program_, timing_, options_));
    program_.instructions.clear();
    std::uint64_t before = 0;
    const auto add = [&](std::size_t stretch, std::uint64_t cycle) {
        time_.stretches[stretch].ns += static_cast<double>(cycle - before) * timing_.clock_ns;
        before = cycle;
    };
    std::size_t last = time_.stretches.size() - 1;
    for (std::size_t i = 0; i < sync_stretches_.size(); ++i) {
        last = sync_stretches_[i];
        add(last, part.sync_cycles[i]);
    }
    if (in_stretch_) last = time_.stretches.size() - 1;
    // The end of a batch that a SYNC precedes belongs to what that ended.
    add(last, part.cycles);
    sync_stretches_.clear();
    SimulationResult& sum = time_.result;
    for (std::size_t c = 0; c < channel_count; ++c) {
        ChannelResult& to = sum.channels[c];
        const ChannelResult& from = part.channels[c];
        to.addressed = to.addressed || from.addressed;
        for (std::size_t i = 0; i < command_count; ++i) to.commands[i] += from.commands[i];
        for (std::size_t i = 0; i < activity_count; ++i) {
            to.activity_cycles[i] += from.activity_cycles[i];
        }
    }
    for (const std::string& warning : part.warnings) {
        if (std::find(sum.warnings.begin(), sum.warnings.end(), warning) == sum.warnings.end()) {
            sum.warnings.push_back(warning);
        }
    }
    time_.aim_cycles += part.cycles;
    ++time_.batches;
    return {};
}

Result<DynamicTime> TimeSink::finish() {
    if (!program_.instructions.empty()) MEMSIDE_CHECK(simulate_batch());
    time_.hub_cycles = static_cast<std::uint64_t>(std::ceil(hub_ns_ / timing_.clock_ns));
    time_.result.cycles = time_.aim_cycles + time_.hub_cycles;
    for (ChannelResult& channel : time_.result.channels) {
        channel.activity_cycles[static_cast<std::size_t>(Activity::waiting)] += time_.hub_cycles;
    }
    return time_;
}

}  // namespace memside::pim
