// Gives each cycle of a channel to one Activity when several go on at once.
//
// The precedence is that of Activity's enumerators: MAC before other compute, rows, refresh, the
// transfers, the mode switch. A cycle in which nothing is under way belongs to the command that is
// issued next if that had already arrived (a constraint held it back), else it is waiting. MACs and
// other compute commands count for nothing but themselves: what holds them back is a mode switch.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "pim/command_clock.h"
#include "pim/simulation.h"

namespace memside::pim {

class ActivityMeter {
  public:
    // A command that arrived at `arrival` keeps `activity` going over cycles [start, until).
    // Starts never decrease.
    void add(Activity activity, Cycle arrival, Cycle start, Cycle until) {
        if (at_ < start) settle(activity, arrival, start);
        Cycle& busy = busy_until_[static_cast<std::size_t>(activity)];
        busy = std::max(busy, until);
    }

    // The cycles up to and without `end`, counted from 1.
    std::array<std::uint64_t, activity_count> finish(Cycle end) {
        settle(Activity::waiting, end, end);
        return cycles_;
    }

  private:
    static constexpr std::size_t busy_kinds = activity_count - 1;  // all but waiting

    void settle(Activity next, Cycle arrival, Cycle to) {
        const bool compute = next == Activity::mac || next == Activity::other_compute;
        const Activity held = compute ? Activity::mode_switch : next;
        while (at_ < to) {
            std::size_t kind = 0;
            while (kind < busy_kinds && busy_until_[kind] <= at_) ++kind;
            Cycle until = to;
            if (kind < busy_kinds) {
                until = std::min(to, busy_until_[kind]);
            } else if (at_ < arrival) {
                kind = static_cast<std::size_t>(Activity::waiting);
                until = std::min(to, arrival);
            } else {
                kind = static_cast<std::size_t>(held);
            }
            cycles_[kind] += until - at_;
            at_ = until;
        }
    }

    std::array<std::uint64_t, activity_count> cycles_{};
    std::array<Cycle, activity_count> busy_until_{};
    Cycle at_ = 1;  // the first cycle that is not yet counted
};

}  // namespace memside::pim
