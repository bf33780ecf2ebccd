// What a channel is in the middle of: open rows, mode, and from when on each command may go. Time
// passes only by issuing commands; nothing ticks.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "pim/constraint_table.h"
#include "pim/simulation.h"

namespace memside::pim {

using Time = std::int64_t;  // cycles; the first is 1
inline constexpr Time never = std::numeric_limits<Time>::max() / 4;

// What all channels of a run share.
struct RunContext {
    RunContext(const Timing& run_timing, const SimulationOptions& options);

    // When the refresh number `count`, from 1, is due.
    Time refresh_due(std::uint64_t count) const {
        if (refresh == RefreshMode::off) return never;
        const std::uint64_t share = refresh == RefreshMode::all_bank ? 1 : bank_count;
        return static_cast<Time>(count * refresh_interval / share);
    }

    ConstraintTable table;
    std::array<std::int32_t, command_count> lasts{};  // cycles that count as the command's own
    RefreshMode refresh = RefreshMode::off;
    std::uint64_t refresh_interval = 0;
    std::vector<TraceEvent>* trace = nullptr;  // nullptr: not recorded
};

// A command for a request, and from when on the request is there.
struct Step {
    Command command = Command::act;
    std::uint8_t bank = 0;
    Time present = 0;
};

// A value without pointers: channels in equal states are computed once, see in_order.cpp.
class ChannelState {
  public:
    static constexpr std::uint32_t closed = 0xffffffff;

    explicit ChannelState(const RunContext& context) : due_(context.refresh_due(1)) {
        rows_.fill(closed);
    }

    // First cycle in which the constraints allow the command.
    Time ready(Command command, unsigned bank) const {
        Time time = std::max(free_at_, ready_[static_cast<std::size_t>(command)]);
        if (is_single_bank(command)) {
            const std::size_t slot = ConstraintTable::slots[static_cast<std::size_t>(command)];
            time = std::max(
                {time, group_ready_[bank / banks_per_group][slot], bank_ready_[bank][slot]});
        }
        return time;
    }

    // The command on the way to column command `column` of `row` that comes next: PRE, ACT, their
    // all-bank forms, or `column` itself.
    Command next_for(Command column, unsigned bank, std::uint32_t row) const;

    bool register_mode() const { return register_mode_; }
    Time refresh_due() const { return due_; }
    Time last_issue() const { return last_issue_; }

    // Issues `step` at `time`, which its constraints allow.
    void issue(const RunContext& context, const Step& step, Time time) {
        issue_run(context, step, time, 1);
    }
    // Column command number i of `count` at `time` + i x repeat().
    void issue_run(const RunContext& context, const Step& step, Time time, std::uint32_t count);
    void open_row(unsigned bank, std::uint32_t row);  // after an ACT
    void open_rows(std::uint32_t row);                // after an ACT16
    // TMOD in the place of `step`.
    void switch_mode(const RunContext& context, const Step& step, Time time);

    // The next command of the refresh that is due, if it can go until `limit`; `present`: from when
    // on a request waits. False: it cannot, nothing has changed.
    bool refresh(const RunContext& context, Time present, Time limit);

    // The channel has nothing to do until `time`, after its last command: refreshes meanwhile, and
    // forgets what can no longer make a difference, so that equal() finds more channels alike.
    void settle(const RunContext& context, Time time);
    // Nothing that follows, from `time` on, can tell the two apart. Both have settled until then.
    bool equal(const ChannelState& other) const;
    // The run ends with `cycles`.
    void finish(const RunContext& context, Time cycles);

    // What it did since the last clear; the channels of `channels` share it (bit i: channel 31-i).
    std::array<std::uint64_t, command_count> commands{};
    std::array<std::uint64_t, activity_count> activity_cycles{};
    std::uint32_t channels = 0;

  private:
    void account(const RunContext& context, Time time, Time present, Activity held);
    void record(const RunContext& context, Time cycles);
    void constrain(const ConstraintTable& table, Command command, unsigned bank, Time time);
    void send(const RunContext& context, const Step& step, Time time, Activity held,
              Activity activity, std::int32_t lasts);
    bool any_open() const;
    Command next_for_all_banks(Command column, std::uint32_t row) const;

    Time free_at_ = 1;
    std::array<Time, command_count> ready_{};
    std::array<std::array<Time, ConstraintTable::slot_count>, 4> group_ready_{};
    std::array<std::array<Time, ConstraintTable::slot_count>, bank_count> bank_ready_{};
    std::array<std::uint32_t, bank_count> rows_{};
    bool same_rows_ = true;  // all banks as bank 0
    bool register_mode_ = false;

    Time due_ = never;
    std::uint64_t refreshes_ = 0;

    // The last command, which is accounted for when the next one goes.
    Time last_issue_ = 1;
    Time run_start_ = 1;
    std::uint32_t run_count_ = 0;  // 0: in the trace already
    std::int32_t lasts_ = 0;
    Command last_ = Command::mac16;
    Activity last_activity_ = Activity::waiting;
};

}  // namespace memside::pim
