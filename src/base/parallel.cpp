#include "base/parallel.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace memside {

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& body) {
    if (threads == 1 || count < 2) {
        for (std::size_t i = 0; i < count; ++i) body(i);
        return;
    }
    // No more slots than indices: an arena reserves memory for each.
    constexpr std::size_t most_threads = 4096;
    const auto limit = static_cast<int>(std::min({std::size_t{threads}, count, most_threads}));
    tbb::task_arena arena(threads == 0 ? tbb::task_arena::automatic : limit);
    arena.execute([&] { tbb::parallel_for(std::size_t{0}, count, body); });
}

}  // namespace memside
