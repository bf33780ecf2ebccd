// parallel_for on plain threads, for ThreadSanitizer: TBB's library is not instrumented, so its
// synchronisation would be invisible and every loop a false alarm.
#include <algorithm>
#include <thread>

#include "base/parallel.h"

namespace memside {

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& body) {
    constexpr std::size_t most_threads = 16;  // enough to find a race
    const std::size_t wanted = threads == 0 ? std::thread::hardware_concurrency() : threads;
    const std::size_t workers = std::max<std::size_t>(std::min({wanted, count, most_threads}), 1);
    // Every worker has its own indices: a shared counter would order the bodies and hide races.
    const auto work = [&](std::size_t worker) {
        for (std::size_t i = worker; i < count; i += workers) body(i);
    };
    std::vector<std::jthread> helpers;
    for (std::size_t worker = 1; worker < workers; ++worker) helpers.emplace_back(work, worker);
    work(0);
}

}  // namespace memside
