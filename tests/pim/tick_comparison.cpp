#include "pim/tick_comparison.h"

#include <numeric>

#include "pim/golden_files.h"
#include "pim/random_program.h"
#include "pim/shipped_timing.h"
#include "pim/tick_reference.h"

namespace memside::pim {

std::string difference_from_ticking(const std::vector<Instruction>& instructions, RefreshMode mode,
                                    int refresh_interval) {
    Timing timing = shipped_timing();
    timing.nREFI = refresh_interval;
    const auto result = simulate({.instructions = instructions, .loops = {}, .strides = {}}, timing,
                                 {.refresh = mode});
    if (!result.ok()) return result.error().message();
    const SimulationResult expected =
        ticking::tick(instructions, mode, {.interval = refresh_interval});
    if (result->cycles != expected.cycles) {
        return fmt::format("{} cycles for {}", result->cycles, expected.cycles);
    }
    for (unsigned c = 0; c < channel_count; ++c) {
        const ChannelResult& ours = result->channels[c];
        const ChannelResult& theirs = expected.channels[c];
        if (ours.commands != theirs.commands) {
            return fmt::format("channel {}: {} for {}", c, command_text(ours.commands),
                               command_text(theirs.commands));
        }
        if (ours.activity_cycles != theirs.activity_cycles) {
            return fmt::format("channel {}: activities {} for {}", c,
                               fmt::join(ours.activity_cycles, ","),
                               fmt::join(theirs.activity_cycles, ","));
        }
        const auto sum = std::accumulate(ours.activity_cycles.begin(), ours.activity_cycles.end(),
                                         std::uint64_t{0});
        if (sum != result->cycles) {
            return fmt::format("channel {}: activities add up to {} of {}", c, sum, result->cycles);
        }
        if (ours.addressed != theirs.addressed) return fmt::format("channel {}: addressed", c);
    }
    return "";
}

void expect_as_ticking(std::vector<Instruction> instructions, RefreshMode mode,
                       const std::string& what, int refresh_interval) {
    std::string difference = difference_from_ticking(instructions, mode, refresh_interval);
    if (difference.empty()) return;
    for (std::size_t size = instructions.size(); size > 0; size /= 2) {
        for (std::size_t at = 0; at + size <= instructions.size();) {
            std::vector<Instruction> fewer = instructions;
            const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(first, first + static_cast<std::ptrdiff_t>(size));
            const std::string still = difference_from_ticking(fewer, mode, refresh_interval);
            if (still.empty()) {
                at += size;
            } else {
                instructions = fewer;
                difference = still;
            }
        }
    }
    ADD_FAILURE() << what << ": " << difference << "\n" << program_text(instructions);
}

}  // namespace memside::pim
