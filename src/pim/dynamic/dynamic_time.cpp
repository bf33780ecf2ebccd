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
    ++time_.instructions;
    if (program_.instructions.size() < batch_) return {};
    return simulate_batch();
}

Status TimeSink::hub(const HubCall& call) {
    const auto op = static_cast<std::size_t>(call.hub.op);
    const double ns = hub_timing_.ns(call);
    time_.hub_ns[op] += ns;
    ++time_.hub_calls[op];
    hub_ns_ += ns;
    const bool apart =
        !program_.instructions.empty() && program_.instructions.back().opcode != Opcode::sync;
    if (apart) program_.instructions.push_back({.opcode = Opcode::sync});
    return {};
}

Status TimeSink::simulate_batch() {
    MEMSIDE_TRY(const SimulationResult part, simulate(program_, timing_, options_));
    program_.instructions.clear();
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
