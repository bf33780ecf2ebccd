// Seconds of a clock that only goes forward, for measuring how long something takes.
#pragma once

#include <chrono>

namespace memside {

inline double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace memside
