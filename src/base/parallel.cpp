#include "base/parallel.h"

#include <tbb/info.h>
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
    // No more slots than indices, and no more than the machine has: oneTBB warns on standard error
    // about slots that it has no worker for.
    const auto most_threads = static_cast<std::size_t>(tbb::info::default_concurrency());
    const std::size_t wanted = threads == 0 ? most_threads : std::size_t{threads};
    tbb::task_arena arena(static_cast<int>(std::min({wanted, count, most_threads})));
    arena.execute([&] { tbb::parallel_for(std::size_t{0}, count, body); });
}

}  // namespace memside
