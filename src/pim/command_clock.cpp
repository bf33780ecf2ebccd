#include "pim/command_clock.h"

namespace memside::pim {
namespace {

using enum Command;

constexpr CommandSet all_bank_columns = set_of(mac16, af16, ewmul16, wra16);
constexpr CommandSet one_bank_columns = set_of(rd, wr, rdcp, wrcp, mac);

std::size_t index(Command command) {
    return static_cast<std::size_t>(command);
}

}  // namespace

Command CommandClock::next(Command column, unsigned bank, std::uint32_t row) const {
    if (contains(one_bank_columns, column)) {
        if (rows_[bank] == row) return column;
        return rows_[bank] == closed ? act : pre;
    }
    if (!contains(all_bank_columns, column)) return column;
    if (same_rows_) {
        if (rows_[0] == row) return column;
        return rows_[0] == closed ? act16 : prea;
    }
    bool all = true;
    for (const std::uint32_t open : rows_) {
        if (open != closed && open != row) return prea;
        all = all && open == row;
    }
    return all ? column : act16;
}

bool CommandClock::any_open() const {
    if (same_rows_) return rows_[0] != closed;
    return std::any_of(rows_.begin(), rows_.end(), [](std::uint32_t row) { return row != closed; });
}

Cycle CommandClock::earliest(Command command, unsigned bank) const {
    Cycle ready = std::max({any_, last_issue_ + 1, channel_[index(command)]});
    if (is_single_bank(command)) {
        const std::size_t slot = ConstraintTable::slots[index(command)];
        ready = std::max({ready, groups_[bank / banks_per_group][slot], banks_[bank][slot]});
    }
    return ready;
}

void CommandClock::issue(Command command, unsigned bank, std::uint32_t row, Cycle now) {
    last_issue_ = now;
    const auto later = [now](Cycle& cell, std::int32_t cycles) {
        cell = std::max(cell, now + static_cast<Cycle>(cycles));
    };
    const ConstraintTable::Gaps& channel = table_->channel(command);
    later(any_, channel.any);
    for (const ConstraintTable::Gap& gap : channel) later(channel_[gap.next], gap.cycles);
    if (is_single_bank(command)) {
        Slots& group = groups_[bank / banks_per_group];
        for (const auto& gap : table_->group(command)) later(group[gap.next], gap.cycles);
        for (const auto& gap : table_->bank(command)) later(banks_[bank][gap.next], gap.cycles);
    }
    switch (command) {
        case act:
        case pre:
            rows_[bank] = command == act ? row : closed;
            same_rows_ = false;
            break;
        case act16:
        case prea:
        case wra16:
            rows_.fill(command == act16 ? row : closed);
            same_rows_ = true;
            break;
        default:
            break;
    }
}

}  // namespace memside::pim
