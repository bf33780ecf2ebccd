// The options and the activities of a run as users write and read them.
#pragma once

#include <array>
#include <string_view>

#include "pim/simulation.h"

namespace memside::pim {

// In the order of Scheduler.
inline constexpr std::array<std::string_view, 3> scheduler_names{"in-order", "ping-pong", "dcs"};
constexpr std::string_view scheduler_name(Scheduler scheduler) {
    return scheduler_names[static_cast<std::size_t>(scheduler)];
}

// In the order of RefreshMode.
inline constexpr std::array<std::string_view, 3> refresh_names{"off", "all-bank", "per-bank"};
constexpr std::string_view refresh_name(RefreshMode mode) {
    return refresh_names[static_cast<std::size_t>(mode)];
}

struct ActivityName {
    std::string_view key;     // in JSON
    std::string_view phrase;  // for people
};
// In the order of Activity.
inline constexpr std::array<ActivityName, activity_count> activity_names{{
    {"mac", "MAC"},
    {"other_compute", "AF and EWMUL"},
    {"row", "opening and closing rows"},
    {"refresh", "refresh"},
    {"gbuf_transfer", "global buffer in and out"},
    {"output_transfer", "accumulators in and out"},
    {"bank_transfer", "bank reads and writes"},
    {"mode_switch", "mode switches"},
    {"waiting", "waiting"},
}};

}  // namespace memside::pim
