#include "pim/channel_state.h"

#include <bit>
#include <cassert>

namespace memside::pim {
namespace {

constexpr std::size_t index(Command command) {
    return static_cast<std::size_t>(command);
}
constexpr std::size_t index(Activity activity) {
    return static_cast<std::size_t>(activity);
}

}  // namespace

RunContext::RunContext(const Timing& run_timing, const SimulationOptions& options)
    : table(run_timing),
      refresh(options.refresh),
      refresh_interval(static_cast<std::uint64_t>(run_timing.nREFI)) {
    lasts.fill(run_timing.nCCDS);
    for (const Command row : {Command::act, Command::act16, Command::pre, Command::prea}) {
        lasts[index(row)] = 1;
    }
    lasts[index(Command::tmod)] = run_timing.nMODCH;
    lasts[index(Command::ref_all_bank)] = run_timing.nRFCab;
    lasts[index(Command::ref_per_bank)] = run_timing.nRFCpb;
}

Command ChannelState::next_for(Command column, unsigned bank, std::uint32_t row) const {
    if (!is_single_bank(column)) return next_for_all_banks(column, row);
    if (rows_[bank] == row) return column;
    return rows_[bank] == closed ? Command::act : Command::pre;
}

Command ChannelState::next_for_all_banks(Command column, std::uint32_t row) const {
    if (same_rows_) {
        if (rows_[0] == row) return column;
        return rows_[0] == closed ? Command::act16 : Command::prea;
    }
    bool all = true;
    for (const std::uint32_t open : rows_) {
        if (open != closed && open != row) return Command::prea;
        all = all && open == row;
    }
    return all ? column : Command::act16;
}

void ChannelState::open_row(unsigned bank, std::uint32_t row) {
    rows_[bank] = row;
    same_rows_ = false;
}

void ChannelState::open_rows(std::uint32_t row) {
    rows_.fill(row);
    same_rows_ = true;
}

bool ChannelState::any_open() const {
    if (same_rows_) return rows_[0] != closed;
    return std::any_of(rows_.begin(), rows_.end(), [](std::uint32_t row) { return row != closed; });
}

// Charges the cycles since the last command: its own, those without a request, and the rest.
void ChannelState::account(const RunContext& context, Time time, Time present, Activity held) {
    const Time interval = time - last_issue_;
    const Time own = std::min<Time>(lasts_, interval);
    activity_cycles[index(last_activity_)] += static_cast<std::uint64_t>(own);
    Time held_cycles = 0;
    if (interval > own) {
        const Time from = last_issue_ + own;
        const Time until = std::clamp(present, from, time);
        held_cycles = time - until;
        activity_cycles[index(Activity::waiting)] += static_cast<std::uint64_t>(until - from);
        activity_cycles[index(held)] += static_cast<std::uint64_t>(held_cycles);
    }
    if (context.trace != nullptr && run_count_ > 0) {
        record(context, last_issue_ + own + held_cycles - run_start_);
    }
}

void ChannelState::record(const RunContext& context, Time cycles) {
    TraceEvent event{.start = static_cast<std::uint64_t>(run_start_),
                     .cycles = static_cast<std::uint32_t>(cycles),
                     .repeats = run_count_,
                     .command = last_};
    for (std::uint32_t rest = channels; rest != 0; rest &= rest - 1) {
        event.channel = static_cast<std::uint8_t>(31 - std::countr_zero(rest));
        context.trace->push_back(event);
    }
    run_count_ = 0;
}

void ChannelState::constrain(const ConstraintTable& table, Command command, unsigned bank,
                             Time time) {
    const ConstraintTable::Gaps& channel = table.channel(command);
    free_at_ = std::max(free_at_, time + channel.any);
    for (const ConstraintTable::Gap& gap : channel) {
        ready_[gap.next] = std::max(ready_[gap.next], time + gap.cycles);
    }
    if (!is_single_bank(command)) return;
    auto& group_ready = group_ready_[bank / banks_per_group];
    for (const ConstraintTable::Gap& gap : table.group(command)) {
        group_ready[gap.next] = std::max(group_ready[gap.next], time + gap.cycles);
    }
    for (const ConstraintTable::Gap& gap : table.bank(command)) {
        bank_ready_[bank][gap.next] = std::max(bank_ready_[bank][gap.next], time + gap.cycles);
    }
}

void ChannelState::send(const RunContext& context, const Step& step, Time time, Activity held,
                        Activity activity, std::int32_t lasts) {
    assert(time >= ready(step.command, step.bank));
    account(context, time, step.present, held);
    ++commands[index(step.command)];
    last_ = step.command;
    last_issue_ = run_start_ = time;
    run_count_ = 1;
    last_activity_ = activity;
    lasts_ = lasts;
}

void ChannelState::issue_run(const RunContext& context, const Step& step, Time time,
                             std::uint32_t count) {
    const bool row_bound = is_row_command(last_) || is_row_command(step.command);
    const Activity activity = activity_of(step.command);
    const std::int32_t lasts = context.lasts[index(step.command)];
    send(context, step, time, row_bound ? Activity::row : activity, activity, lasts);
    if (count > 1) {
        const Time more = (Time{count} - 1) * context.table.repeat(step.command);
        commands[index(step.command)] += count - 1;
        activity_cycles[index(activity)] += static_cast<std::uint64_t>(more);
        last_issue_ += more;
        run_count_ = count;
    }
    constrain(context.table, step.command, step.bank, last_issue_);
    if (step.command == Command::prea || step.command == Command::wra16) open_rows(closed);
    if (step.command == Command::pre) open_row(step.bank, closed);
}

void ChannelState::switch_mode(const RunContext& context, const Step& step, Time time) {
    const bool row_bound = is_row_command(last_) || is_row_command(step.command);
    const Activity held = row_bound ? Activity::row : activity_of(step.command);
    const Step tmod{Command::tmod, 0, step.present};
    send(context, tmod, time, held, Activity::mode_switch, context.lasts[index(Command::tmod)]);
    constrain(context.table, Command::tmod, 0, time);
    register_mode_ = !register_mode_;
}

bool ChannelState::refresh(const RunContext& context, Time present, Time limit) {
    Step step{Command::ref_all_bank, 0, std::min(present, due_)};
    if (context.refresh == RefreshMode::all_bank) {
        if (any_open()) step.command = Command::prea;
    } else {
        step.bank = static_cast<std::uint8_t>(refreshes_ % bank_count);
        step.command = rows_[step.bank] == closed ? Command::ref_per_bank : Command::pre;
    }
    const Time time = std::max(due_, ready(step.command, step.bank));
    if (time > limit) return false;
    send(context, step, time, Activity::refresh, Activity::refresh,
         context.lasts[index(step.command)]);
    constrain(context.table, step.command, step.bank, time);
    if (step.command == Command::prea) {
        open_rows(closed);
    } else if (step.command == Command::pre) {
        open_row(step.bank, closed);
    } else {
        ++refreshes_;
        due_ = context.refresh_due(refreshes_ + 1);
    }
    return true;
}

void ChannelState::settle(const RunContext& context, Time time) {
    // Ready times may differ in the past, so a refresh that is due must have begun.
    while (due_ <= time && refresh(context, never, time)) {
    }
    if (last_issue_ >= time) return;
    account(context, time, due_, Activity::refresh);
    run_count_ = 0;
    lasts_ = static_cast<std::int32_t>(std::max<Time>(0, lasts_ - (time - last_issue_)));
    last_issue_ = time;
    if (lasts_ == 0) last_activity_ = Activity::waiting;
    if (!is_row_command(last_)) last_ = Command::mac16;
    const auto forget = [time](auto& times) {
        for (Time& ready : times) ready = std::max(ready, time);
    };
    free_at_ = std::max(free_at_, time);
    forget(ready_);
    for (auto& group : group_ready_) forget(group);
    for (auto& bank : bank_ready_) forget(bank);
    same_rows_ = std::all_of(rows_.begin(), rows_.end(),
                             [this](std::uint32_t row) { return row == rows_[0]; });
}

bool ChannelState::equal(const ChannelState& other) const {
    return last_issue_ == other.last_issue_ && lasts_ == other.lasts_ &&
           last_activity_ == other.last_activity_ && last_ == other.last_ && due_ == other.due_ &&
           refreshes_ == other.refreshes_ && register_mode_ == other.register_mode_ &&
           free_at_ == other.free_at_ && rows_ == other.rows_ && ready_ == other.ready_ &&
           group_ready_ == other.group_ready_ && bank_ready_ == other.bank_ready_;
}

void ChannelState::finish(const RunContext& context, Time cycles) {
    while (due_ <= cycles && refresh(context, never, cycles)) {
    }
    account(context, cycles + 1, due_, Activity::refresh);
}

}  // namespace memside::pim
