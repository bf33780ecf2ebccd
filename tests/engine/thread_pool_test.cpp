#include "engine/thread_pool.h"

#include <numeric>

namespace memside::engine {
namespace {

TEST(ThreadPool, every_index_is_taken_once_whatever_the_number_of_threads) {
    for (const unsigned threads : {1U, 2U, 5U}) {
        ThreadPool pool(threads);
        EXPECT_EQ(pool.threads(), threads);
        for (const std::int64_t count : {0, 1, 2, 3, 100}) {
            std::vector<int> taken(static_cast<std::size_t>(count));
            pool.run(count, [&](std::int64_t i) { ++taken[static_cast<std::size_t>(i)]; });
            EXPECT_THAT(taken, testing::Each(1));
        }
    }
}

TEST(ThreadPool, what_one_loop_writes_the_next_one_reads) {
    ThreadPool pool(3);
    std::vector<int> values(64);
    std::iota(values.begin(), values.end(), 0);
    constexpr int rounds = 300;
    for (int round = 0; round < rounds; ++round) {
        std::vector<int> next(values.size());
        pool.run(64, [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            next[at] = values[63 - at] + 1;
        });
        values = next;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(values[i], static_cast<int>(i) + rounds);
    }
}

}  // namespace
}  // namespace memside::engine
