// parallel_for on plain threads, for ThreadSanitizer: TBB's library is not instrumented, so its
// synchronisation would be invisible and every loop a false alarm.
#include <algorithm>
#include <atomic>
#include <thread>

#include "base/parallel.h"

namespace memside {

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& body) {
    const std::size_t wanted = threads == 0 ? std::thread::hardware_concurrency() : threads;
    constexpr std::size_t most_threads = 16;  // enough to find a race
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < count; i = next++) body(i);
    };
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min({wanted, count, most_threads}); ++i) {
        helpers.emplace_back(work);
    }
    work();
}

}  // namespace memside
