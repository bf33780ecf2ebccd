// The commands that a memory controller sends to a DRAM channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memside::dram {

// A point in time or a duration in ticks of a standard's command clock (Spec::tick_ns).
using Cycle = std::int64_t;

// Names follow JEDEC. The last two occupy the command bus without being part of any timing rule:
// act2 is the second half of LPDDR5's split activation, sync LPDDR5's CAS that starts the data
// clock (WCK) before a burst.
enum class Command : std::uint8_t { act, pre, prea, rd, wr, refab, refpb, act2, sync };

inline constexpr std::size_t timed_commands = 7;  // act to refpb
inline constexpr std::size_t all_commands = 9;

inline constexpr std::array<std::string_view, all_commands> command_names = {
    "ACT", "PRE", "PREA", "RD", "WR", "REFab", "REFpb", "ACT2", "CAS"};

constexpr std::size_t index(Command command) {
    return static_cast<std::size_t>(command);
}
constexpr std::string_view name(Command command) {
    return command_names[index(command)];
}

// Whether the command addresses every bank of a refresh scope at once.
constexpr bool all_bank(Command command) {
    return command == Command::prea || command == Command::refab;
}
constexpr bool is_column(Command command) {
    return command == Command::rd || command == Command::wr;
}

}  // namespace memside::dram
