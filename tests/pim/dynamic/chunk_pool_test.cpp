// The pool of chunks against a set of what is out.
#include "pim/dynamic/chunk_pool.h"

#include <rapidcheck/gtest.h>

#include <random>
#include <set>

#include "pim/dynamic/dispatcher.h"

namespace memside::pim {
namespace {

RC_GTEST_PROP(ChunkPool, a_chunk_is_out_once_and_all_come_back, (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    const auto chunk_rows = static_cast<std::uint32_t>(1 + random() % 4);
    const auto rows = static_cast<std::uint32_t>(random() % 40);
    const auto first = static_cast<std::uint32_t>(random() % 100);
    ChunkPool pool(first, rows, chunk_rows);
    RC_ASSERT(pool.size() == rows / chunk_rows);
    std::set<std::uint32_t> out;
    for (int event = 0; event < 200; ++event) {
        if (random() % 2 == 0) {
            const auto chunk = pool.take();
            RC_ASSERT(chunk.has_value() == (out.size() < pool.size()));
            if (!chunk) continue;
            RC_ASSERT((*chunk - first) % chunk_rows == 0);
            RC_ASSERT(*chunk >= first && *chunk + chunk_rows <= first + rows);
            RC_ASSERT(out.insert(*chunk).second);
        } else if (!out.empty()) {
            const auto at = std::next(out.begin(), static_cast<long>(random() % out.size()));
            pool.give(*at);
            out.erase(at);
        }
        RC_ASSERT(pool.used() == out.size());
        RC_ASSERT(pool.free() + pool.used() == pool.size());
    }
}

TEST(ChunkPool, the_lowest_chunk_is_taken_first_and_the_one_given_last_next) {
    ChunkPool pool(10, 7, 2);
    EXPECT_EQ(pool.size(), 3U);
    EXPECT_EQ(pool.take(), 10U);
    EXPECT_EQ(pool.take(), 12U);
    pool.give(10);
    EXPECT_EQ(pool.take(), 10U);
    EXPECT_EQ(pool.take(), 14U);
    EXPECT_EQ(pool.take(), std::nullopt);
}

TEST(ChunkPool, chunks_that_share_rows_are_seen) {
    EXPECT_FALSE(ChunkPool({4, 0, 2}, 2).overlaps());
    EXPECT_TRUE(ChunkPool({4, 0, 3}, 2).overlaps());
    EXPECT_TRUE(ChunkPool({4}, 2).touches(5, 1));
    EXPECT_FALSE(ChunkPool({4}, 2).touches(6, 3));
    EXPECT_FALSE(ChunkPool({4}, 2).touches(0, 4));
}

TEST(ChunkPool, the_free_chunks_of_a_module_keep_clear_of_weights) {
    DynamicProgram program;
    program.chunk_rows = 4;
    program.regions = {{"b", 10, false, 30}, {"a", 6, false, 5}, {"k", 0, true, 0}};
    ChunkPool pool = free_chunks(program);
    // Rows 0-4 hold one chunk, 11-29 four, and 40-16383 the rest.
    EXPECT_EQ(pool.size(), 1U + 4U + (rows_per_bank - 40U) / 4);
    std::vector<std::uint32_t> first;
    for (int i = 0; i < 6; ++i) first.push_back(*pool.take());
    EXPECT_EQ(first, (std::vector<std::uint32_t>{0, 11, 15, 19, 23, 40}));
}

}  // namespace
}  // namespace memside::pim
