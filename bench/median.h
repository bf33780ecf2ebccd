// The clock of the programs in bench/: the median of an odd number of runs.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>

namespace memside::bench {

inline constexpr std::size_t runs = 21;

// Seconds of one call.
template <typename Work>
double once_s(const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds of the median of 21 calls.
template <typename Work>
double median_s(const Work& work) {
    std::array<double, runs> seconds{};
    for (double& time : seconds) time = once_s(work);
    std::nth_element(seconds.begin(), seconds.begin() + runs / 2, seconds.end());
    return seconds[runs / 2];
}

}  // namespace memside::bench
