// What kind of command each one is, for every scheduler.
#pragma once

#include "pim/simulation.h"

namespace memside::pim {

using CommandSet = std::uint32_t;  // bit i is Command i

constexpr CommandSet set_of(Command command) {
    return CommandSet{1} << static_cast<int>(command);
}
template <typename... Rest>
constexpr CommandSet set_of(Command first, Rest... rest) {
    return set_of(first) | set_of(rest...);
}
constexpr bool contains(CommandSet set, Command command) {
    return (set & set_of(command)) != 0;
}

inline constexpr CommandSet all_commands = (CommandSet{1} << command_count) - 1;
// Those of one bank; all others reach every bank of the channel, or none.
inline constexpr CommandSet single_bank_commands =
    set_of(Command::act, Command::pre, Command::rd, Command::wr, Command::rdcp, Command::wrcp,
           Command::mac, Command::ref_per_bank);
inline constexpr CommandSet row_commands =
    set_of(Command::act, Command::act16, Command::pre, Command::prea);

constexpr bool is_single_bank(Command command) {
    return contains(single_bank_commands, command);
}
constexpr bool is_row_command(Command command) {
    return contains(row_commands, command);
}

// What a command is counted as.
constexpr Activity activity_of(Command command) {
    switch (command) {
        case Command::mac:
        case Command::mac16:
            return Activity::mac;
        case Command::af16:
        case Command::ewmul16:
            return Activity::other_compute;
        case Command::wrgb:
        case Command::rdcp:
        case Command::wrcp:
            return Activity::gbuf_transfer;
        case Command::rdmac16:
        case Command::rdaf16:
        case Command::wrmac16:
            return Activity::output_transfer;
        case Command::rd:
        case Command::wr:
        case Command::wra16:
            return Activity::bank_transfer;
        case Command::tmod:
            return Activity::mode_switch;
        case Command::ref_all_bank:
        case Command::ref_per_bank:
            return Activity::refresh;
        case Command::act:
        case Command::act16:
        case Command::pre:
        case Command::prea:
            return Activity::row;
    }
    return Activity::waiting;
}

}  // namespace memside::pim
