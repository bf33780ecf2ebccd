#include "pim/in_order_channel.h"

namespace memside::pim {
namespace {

// How many of `count` column commands, the first at `time`, go before a refresh is due.
std::uint32_t before_refresh(std::uint32_t count, Time time, std::uint32_t apart, Time due) {
    if (time >= due) return 1;  // the one whose row was opened for it
    const Time fit = (due - 1 - time) / apart + 1;
    return fit < Time{count} ? static_cast<std::uint32_t>(fit) : count;
}

}  // namespace

Handed InOrderChannel::run_aim(const RunContext& context, const RequestKind& kind,
                               const Instruction& from, std::uint32_t row, Time decoded) {
    const Time entry = host_.drain(context, state, decoded);
    const auto apart = static_cast<std::uint32_t>(context.table.repeat(kind.command));
    std::uint32_t left = from.opsize;
    bool activated = false;  // for the request at the head
    while (left > 0) {
        Step step{kind.command, from.bank, entry};
        if (kind.needs_row) step.command = state.next_for(kind.command, from.bank, row);
        const Time time = std::max(entry, state.ready(step.command, step.bank));
        if (time >= state.refresh_due() && !activated) {
            state.refresh(context, entry, never);
            continue;
        }
        if (state.register_mode() != kind.register_mode) {
            state.switch_mode(context, step, time);
            continue;
        }
        if (step.command != kind.command) {
            state.issue(context, step, time);
            if (step.command == Command::act) state.open_row(step.bank, row);
            if (step.command == Command::act16) state.open_rows(row);
            activated = step.command == Command::act || step.command == Command::act16;
            continue;
        }
        const std::uint32_t count = before_refresh(left, time, apart, state.refresh_due());
        state.issue_run(context, step, time, count);
        history_.add(time, count, apart);
        activated = false;
        left -= count;
    }
    last_aim_issue_ = state.last_issue();
    const Time done = last_aim_issue_ + context.table.completion(kind.command);
    if (!kind.blocking) last_completion_ = std::max(last_completion_, done);
    return {std::max(entry, history_.newest_fits()), done};
}

Handed InOrderChannel::run_host(const RunContext& context, const RequestKind& kind,
                                const Instruction& from, Time decoded) {
    HostRequest request;
    request.row = from.row;
    request.column = from.column;
    request.bank = from.bank;
    request.write = kind.command == Command::wr;
    Time entered = std::max(decoded, last_aim_issue_ + 1);
    for (std::uint32_t i = 0; i < from.opsize; ++i) {
        entered = host_.enter(context, state, request, entered);
    }
    return {entered, 0};
}

Time InOrderChannel::run_barrier(const RunContext& context, Time decoded) {
    host_.drain(context, state, decoded);
    return std::max({decoded, last_completion_, host_.last_completion()}) + 1;
}

bool InOrderChannel::settle(const RunContext& context, Time time) {
    if (!host_.empty() || state.last_issue() >= time) return false;
    state.settle(context, time);
    history_.clear();
    last_completion_ = std::max({last_completion_, host_.last_completion(), time});
    return state.last_issue() == time;
}

void InOrderChannel::finish(const RunContext& context, Time cycles) {
    state.finish(context, cycles);
}

}  // namespace memside::pim
