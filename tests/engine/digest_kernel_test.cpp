#include "engine/digest_kernel.h"

#include <cmath>

#include "engine/digest_block.h"
#include "engine/random_weights.h"
#include "kv/digest.h"

namespace memside::engine {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// A block of 16 pages, and their corners as stored.
struct Block {
    Block(kv::DigestType type, int head_dim)
        : bytes(index(digest_block_bytes(head_dim, type))),
          low(index(digest_block_pages)),
          high(index(digest_block_pages)) {
        for (std::size_t page = 0; page < low.size(); ++page) {
            low[page] = test::random_values(index(head_dim), 50 + page);
            high[page] = low[page];
            const auto width = test::random_values(index(head_dim), 90 + page);
            for (std::size_t d = 0; d < width.size(); ++d) high[page][d] += std::abs(width[d]);
            store_corners(type, low[page], high[page], bytes.data(),
                          static_cast<std::int64_t>(page));
        }
    }
    std::vector<std::byte> bytes;
    std::vector<std::vector<float>> low;
    std::vector<std::vector<float>> high;
};

void expect_scores(const DigestKernel& kernel, kv::DigestType type, int head_dim, int rows) {
    const Block block(type, head_dim);
    const auto queries = test::random_values(index(rows * head_dim), 6);
    std::vector<float> positive;
    std::vector<float> negative;
    for (const float q : queries) {
        positive.push_back(std::max(q, 0.0F));
        negative.push_back(std::min(q, 0.0F));
    }
    ScoreDigests job;
    job.block = job.ahead = block.bytes.data();
    job.head_dim = head_dim;
    job.positive = positive.data();
    job.negative = negative.data();
    job.rows = rows;
    // f32 sums of head_dim terms of up to 2.
    const double tolerance = 2e-5 * std::max(1.0, head_dim / 64.0);
    std::vector<float> scores(index(rows * 19));
    job.scores = scores.data();
    job.score_stride = 19;
    kernel.score(type, job);
    for (int row = 0; row < rows; ++row) {
        const auto query = std::span(queries).subspan(index(row * head_dim), index(head_dim));
        for (std::size_t page = 0; page < block.low.size(); ++page) {
            ASSERT_NEAR(scores[index(row) * 19 + page],
                        kv::page_score(query, block.low[page], block.high[page]), tolerance)
                << kernel.name << " head_dim " << head_dim << " rows " << rows << " page " << page;
        }
    }
}

TEST(DigestKernel, every_kernel_scores_pages_as_they_score_in_f64) {
    for (const int head_dim : {1, 15, 16, 24, 64, 80, 128, 255, 256}) {
        for (const int rows : {1, 2, 3, 4, 7, 8}) {
            for (const DigestKernel& kernel : digest_kernels()) {
                if (!kernel.runs_here()) continue;
                expect_scores(kernel, kv::DigestType::f16, head_dim, rows);
                expect_scores(kernel, kv::DigestType::int8, head_dim, rows);
            }
        }
    }
}

}  // namespace
}  // namespace memside::engine
