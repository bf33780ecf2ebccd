#include "pim/simulation.h"

#include "base/text.h"
#include "pim/in_order.h"
#include "pim/program_builder.h"
#include "pim/request_kind.h"

namespace memside::pim {
namespace {

using Run = Result<SimulationResult> (*)(const Program&, const Timing&, const SimulationOptions&);

struct SchedulerEntry {
    Scheduler scheduler;
    const char* name;
    Run run;  // nullptr: not modelled
};

constexpr SchedulerEntry schedulers[] = {
    {Scheduler::in_order, "in-order", run_in_order},
    {Scheduler::ping_pong, "ping-pong", nullptr},
    {Scheduler::dcs, "dcs", nullptr},
};

// What certainly is in range, at a fraction of what validate() costs; it has to tell otherwise.
bool surely_in_range(const Instruction& i) {
    constexpr std::uint32_t largest = columns_per_row;  // opsize of all but EWADD
    const bool addresses = request_kind(i.opcode).queue != RequestKind::Queue::none;
    const bool masked = addresses && i.opcode != Opcode::sync && i.opcode != Opcode::eoc &&
                        i.opcode != Opcode::write_mem && i.opcode != Opcode::read_mem;
    return i.opsize - 1 < largest && i.bank < bank_count && i.channel < channel_count &&
           i.row < rows_per_bank && i.column + i.opsize <= columns_per_row &&
           i.gbuf + i.opsize <= gbuf_entries && i.out < out_entries &&
           i.gpr + largest <= gpr_entries && i.gpr2 + largest <= gpr_entries &&
           (!masked || i.mask != 0) && i.opcode != Opcode::write_cfr;
}

Status check_program(const Program& program) {
    const auto& instructions = program.instructions;
    if (program.loops.empty() && program.strides.empty() &&
        std::all_of(instructions.begin(), instructions.end(), [](const Instruction& i) {
            const bool function = i.opcode == Opcode::write_cfr && i.gpr == 2 && i.gpr2 < 8;
            return function || surely_in_range(i);
        })) {
        return {};
    }
    return validate(program, "");
}

// A refresh that lasts until the next is due would leave no time for anything else.
Status check_refresh(const Timing& timing, RefreshMode mode) {
    if (mode == RefreshMode::off) return {};
    const bool all_bank = mode == RefreshMode::all_bank;
    const int interval = all_bank ? timing.nREFI : timing.nREFI / static_cast<int>(bank_count);
    const int lasts = (all_bank ? timing.nRFCab : timing.nRFCpb) + timing.nRP;
    if (interval > lasts) return {};
    return bad_input(timing.name,
                     fmt::format("refresh takes {} cycles (with nRP) and is due every {}: no time "
                                 "is left",
                                 lasts, interval));
}

}  // namespace

std::array<std::uint64_t, command_count> SimulationResult::commands() const {
    std::array<std::uint64_t, command_count> sum{};
    for (const ChannelResult& channel : channels) {
        for (std::size_t i = 0; i < command_count; ++i) sum[i] += channel.commands[i];
    }
    return sum;
}

double SimulationResult::mac_utilization(const Timing& timing) const {
    std::uint64_t macs = 0;
    std::uint64_t addressed = 0;
    for (const ChannelResult& channel : channels) {
        if (!channel.addressed) continue;
        ++addressed;
        macs += channel.commands[static_cast<std::size_t>(Command::mac16)];
    }
    if (addressed == 0 || cycles == 0) return 0;
    return static_cast<double>(macs) * timing.nCCDS /
           (static_cast<double>(cycles) * static_cast<double>(addressed));
}

Result<SimulationResult> simulate(const Program& program, const Timing& timing,
                                  const SimulationOptions& options) {
    MEMSIDE_CHECK(check_refresh(timing, options.refresh));
    MEMSIDE_CHECK(check_program(program));
    for (const SchedulerEntry& entry : schedulers) {
        if (entry.scheduler != options.scheduler) continue;
        if (entry.run != nullptr) return entry.run(program, timing, options);
        return bad_input("", fmt::format("scheduler {} is not modelled", in_quotes(entry.name)));
    }
    return bad_input("", "unknown scheduler");
}

}  // namespace memside::pim
