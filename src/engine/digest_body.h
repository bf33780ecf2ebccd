// The digest kernel of attention_kernel.h, written once over vectors of floats (simd_*.h). A vector
// holds one dimension of 16 (or 8) pages, so that the scores of those pages need no sum across
// lanes.
#pragma once

#include "engine/attention_kernel.h"

namespace memside::engine {

template <typename Simd>
struct DigestBody {
    using Vector = typename Simd::Vector;

    template <int rows>
    static void score_rows(const ScoreDigests& job, int row, std::int64_t page) {
        // Two sums a row: one would wait for itself at every second addition.
        Vector by_high[static_cast<std::size_t>(rows)];
        Vector by_low[static_cast<std::size_t>(rows)];
        for (int r = 0; r < rows; ++r) by_high[r] = by_low[r] = Simd::zero();
        const std::uint16_t* low = job.corners + page;
        const std::uint16_t* high = low + job.head_dim * digest_block_pages;
        const float* positive = job.positive + row * job.head_dim;
        const float* negative = job.negative + row * job.head_dim;
        for (int d = 0; d < job.head_dim; ++d) {
            const Vector h = Simd::load_half(high + d * digest_block_pages);
            const Vector l = Simd::load_half(low + d * digest_block_pages);
            for (int r = 0; r < rows; ++r) {
                const int at = r * job.head_dim + d;
                by_high[r] = Simd::multiply_add(Simd::all(positive[at]), h, by_high[r]);
                by_low[r] = Simd::multiply_add(Simd::all(negative[at]), l, by_low[r]);
            }
        }
        for (int r = 0; r < rows; ++r) {
            Simd::store(job.scores + (row + r) * job.score_stride + page,
                        Simd::add(by_high[r], by_low[r]));
        }
    }

    static void score(const ScoreDigests& job) {
        for (std::int64_t page = 0; page < digest_block_pages; page += Simd::width) {
            int row = 0;
            for (; row + 4 <= job.rows; row += 4) score_rows<4>(job, row, page);
            for (; row < job.rows; ++row) score_rows<1>(job, row, page);
        }
    }
};

}  // namespace memside::engine
