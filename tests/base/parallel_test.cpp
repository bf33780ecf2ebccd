#include "base/parallel.h"

#include <rapidcheck/gtest.h>

#include <atomic>
#include <cmath>

namespace memside {
namespace {

// A body whose rounding would show any change of order within one index.
std::vector<double> results(std::size_t count, unsigned threads) {
    std::vector<double> out(count, -1.0);
    parallel_for(count, threads, [&](std::size_t i) {
        double sum = 0.0;
        for (std::size_t k = 1; k <= 50; ++k) sum += std::sin(static_cast<double>(i * k));
        out[i] = sum;
    });
    return out;
}

TEST(ParallelFor, the_result_is_the_same_for_any_number_of_threads) {
    const std::vector<double> serial = results(1000, 1);
    for (const unsigned threads : {0U, 2U, 3U, 8U, 64U, 4294967295U}) {
        EXPECT_EQ(results(1000, threads), serial) << threads << " threads";
    }
}

RC_GTEST_PROP(ParallelFor, every_index_is_visited_once, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 200);
    const auto threads = *rc::gen::inRange<unsigned>(0, 9);
    std::vector<std::atomic<int>> visits(count);
    parallel_for(count, threads, [&](std::size_t i) { ++visits.at(i); });
    for (const auto& times : visits) RC_ASSERT(times == 1);
}

TEST(ParallelFor, loops_nest) {
    std::vector<std::vector<double>> out(8);
    parallel_for(out.size(), 4, [&](std::size_t i) { out[i] = results(20, 2); });
    for (const auto& row : out) EXPECT_EQ(row, results(20, 1));
}

TEST(ParallelFor, no_more_bodies_run_at_once_than_threads_were_asked_for) {
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    parallel_for(2000, 2, [&](std::size_t) {
        const int now = ++running;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        --running;
    });
    EXPECT_GE(most, 1);
    EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace memside
