// The digest kernel of digest_kernel.h, written once over vectors of floats (simd_*.h, and the
// loading of digests in digest_*.cpp).
#pragma once

#include "engine/digest_kernel.h"

namespace memside::engine {

// Corners: how the corners of a type are loaded. `header` bytes come before them in a block, a
// corner takes `bytes`.
template <typename Simd, typename Corners>
struct DigestBody {
    using Vector = typename Simd::Vector;
    static constexpr std::int64_t dimension_bytes = 2 * Corners::bytes * digest_block_pages;

    // Adds dimension d to `rows` rows; `to` says which of the sums of a row take it.
    template <std::size_t rows, std::size_t sums>
    static void add_dimension(const ScoreDigests& job, int row, const std::byte* corners, int d,
                              Vector (&by_high)[rows][sums], Vector (&by_low)[rows][sums],
                              std::size_t to) {
        const std::byte* at = corners + d * dimension_bytes;
        const Vector low = Corners::load(at);
        const Vector high = Corners::load(at + Corners::bytes * digest_block_pages);
        const auto dim = static_cast<std::size_t>(job.head_dim);
        const float* positive = job.positive + row * job.head_dim + d;
        const float* negative = job.negative + row * job.head_dim + d;
        for (std::size_t r = 0; r < rows; ++r) {
            by_high[r][to] = Simd::multiply_add(Simd::all(positive[r * dim]), high, by_high[r][to]);
            by_low[r][to] = Simd::multiply_add(Simd::all(negative[r * dim]), low, by_low[r][to]);
        }
    }

    // `sums` pairs of sums a row: with few rows, one sum would wait for itself.
    template <std::size_t rows, std::size_t sums>
    static void score_rows(const ScoreDigests& job, int row, std::int64_t page) {
        Vector by_high[rows][sums];
        Vector by_low[rows][sums];
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t s = 0; s < sums; ++s) by_high[r][s] = by_low[r][s] = Simd::zero();
        }
        const std::byte* corners = job.block + Corners::header + page * Corners::bytes;
        const bool fetch = row == 0 && page == 0;
        const std::byte* ahead = fetch ? job.ahead : job.block;
        int d = 0;
        for (; d + 2 <= job.head_dim; d += 2) {
            // Two dimensions are two cache lines of f16, one of int8. To level 1: to level 2 the
            // same scan took three times as long.
            for (std::int64_t line = 0; line < 2 * dimension_bytes; line += 64) {
                __builtin_prefetch(ahead + d * dimension_bytes + line, 0, 3);
            }
            add_dimension<rows, sums>(job, row, corners, d, by_high, by_low, 0);
            add_dimension<rows, sums>(job, row, corners, d + 1, by_high, by_low, sums - 1);
        }
        if (d < job.head_dim) add_dimension<rows, sums>(job, row, corners, d, by_high, by_low, 0);
        float* to = job.scores + row * job.score_stride + page;
        for (std::size_t r = 0; r < rows; ++r) {
            Vector total = Simd::add(by_high[r][0], by_low[r][0]);
            for (std::size_t s = 1; s < sums; ++s) {
                total = Simd::add(total, Simd::add(by_high[r][s], by_low[r][s]));
            }
            Simd::store(to + static_cast<std::int64_t>(r) * job.score_stride,
                        Corners::scaled(total, job.block, page));
        }
    }

    static void score(const ScoreDigests& job) {
        for (std::int64_t page = 0; page < digest_block_pages; page += Simd::width) {
            int row = 0;
            for (; row + 4 <= job.rows; row += 4) score_rows<4, 1>(job, row, page);
            for (; row < job.rows; ++row) score_rows<1, 2>(job, row, page);
        }
    }
};

template <typename Simd>
struct F16Corners {
    static constexpr std::int64_t bytes = 2;
    static constexpr std::int64_t header = 0;
    static typename Simd::Vector load(const std::byte* from) {
        return Simd::load_half(reinterpret_cast<const std::uint16_t*>(from));
    }
    static typename Simd::Vector scaled(typename Simd::Vector v, const std::byte*, std::int64_t) {
        return v;
    }
};

// Simd has a load_int8, too.
template <typename Simd>
struct Int8Corners {
    static constexpr std::int64_t bytes = 1;
    static constexpr std::int64_t header = 4 * digest_block_pages;
    static typename Simd::Vector load(const std::byte* from) { return Simd::load_int8(from); }
    static typename Simd::Vector scaled(typename Simd::Vector v, const std::byte* block,
                                        std::int64_t page) {
        return Simd::multiply(v, Simd::load(reinterpret_cast<const float*>(block) + page));
    }
};

}  // namespace memside::engine
