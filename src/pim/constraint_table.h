// Which commands a timing constraint parts, and the same worked out for every pair of commands.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pim/command_traits.h"
#include "pim/timing.h"

namespace memside::pim {

// How near two commands must be for a constraint to bind them. A command without one bank is near
// every bank.
enum class Scope : std::uint8_t { channel, group, bank };

// After any command of `first`, none of `next` for `cycles`.
struct Constraint {
    std::string_view name;  // as a formula of the timing file's names
    CommandSet first = 0;
    CommandSet next = 0;
    Scope scope = Scope::channel;
    int cycles = 0;
};

// All constraints of a channel; docs/pim.md lists them.
std::vector<Constraint> constraints_of(const Timing& timing);

class ConstraintTable {
  public:
    explicit ConstraintTable(const Timing& timing);

    // Cycles from `first` to `next`, at least 1, when the nearest thing that their banks share is
    // `shared`.
    int between(Command first, Command next, Scope shared) const {
        return pairs_[static_cast<std::size_t>(shared)][index(first)][index(next)];
    }
    // Between equal commands of one instruction.
    int repeat(Command command) const { return between(command, command, Scope::bank); }
    // From issue to the cycle in which the request is done.
    int completion(Command command) const { return completion_[index(command)]; }

    // What a command makes later ones wait for: `any` of them, and some longer.
    struct Gap {
        std::uint32_t next = 0;  // a command; of commands of one bank their slot
        std::int32_t cycles = 0;
    };
    struct Gaps {
        std::int32_t any = 1;
        std::uint32_t count = 0;
        std::array<Gap, command_count> longer{};

        const Gap* begin() const { return longer.data(); }
        const Gap* end() const { return longer.data() + count; }
    };
    // Of the channel: for next commands wherever they are. Of the group and the bank: only what
    // exceeds that, for commands of one bank, by slot.
    const Gaps& channel(Command first) const { return channel_[index(first)]; }
    const Gaps& group(Command first) const { return group_[index(first)]; }
    const Gaps& bank(Command first) const { return bank_[index(first)]; }

    static constexpr std::size_t slot_count = 8;
    // Numbers the commands of one bank.
    static constexpr std::array<std::uint8_t, command_count> slots = [] {
        std::array<std::uint8_t, command_count> result{};
        std::uint8_t next = 0;
        for (std::size_t i = 0; i < command_count; ++i) {
            if (is_single_bank(static_cast<Command>(i))) result[i] = next++;
        }
        return result;
    }();

  private:
    static constexpr std::size_t index(Command command) {
        return static_cast<std::size_t>(command);
    }
    void fill_gaps(Command first);

    std::array<std::array<std::array<std::int32_t, command_count>, command_count>, 3> pairs_{};
    std::array<std::int32_t, command_count> completion_{};
    std::array<Gaps, command_count> channel_, group_, bank_;
};

}  // namespace memside::pim
