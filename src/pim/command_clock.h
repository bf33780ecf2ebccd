// Open rows, and when each command of a channel may next be issued, for schedulers whose commands
// do not come in one fixed order. It holds no queue and no mode: those are the scheduler's.
#pragma once

#include <array>
#include <cstdint>

#include "pim/constraint_table.h"

namespace memside::pim {

using Cycle = std::uint64_t;  // the first is 1

class CommandClock {
  public:
    // `table` outlives the clock.
    explicit CommandClock(const ConstraintTable& table) : table_(&table) { rows_.fill(closed); }

    // What must be issued next so that `column` on `row` can follow: itself, or what closes or
    // opens rows.
    Command next(Command column, unsigned bank, std::uint32_t row) const;

    // The first cycle at which every constraint admits `command`, and the command bus is free.
    Cycle earliest(Command command, unsigned bank) const;

    // Notes that `command` is issued at `now`, not before earliest(). `row` is what ACT opens.
    void issue(Command command, unsigned bank, std::uint32_t row, Cycle now);
    // Takes the command bus for a cycle, and binds nothing else.
    void take_bus(Cycle now) { last_issue_ = now; }

    bool any_open() const;
    bool open(unsigned bank) const { return rows_[bank] != closed; }
    Cycle last_issue() const { return last_issue_; }  // 0 before the first

  private:
    static constexpr std::uint32_t closed = 0xffffffff;

    using Slots = std::array<Cycle, ConstraintTable::slot_count>;

    const ConstraintTable* table_;
    Cycle last_issue_ = 0;
    Cycle any_ = 0;  // what all commands wait for
    std::array<Cycle, command_count> channel_{};
    std::array<Slots, bank_count / banks_per_group> groups_{};
    std::array<Slots, bank_count> banks_{};
    std::array<std::uint32_t, bank_count> rows_;
    bool same_rows_ = true;  // all banks as bank 0
};

}  // namespace memside::pim
