// The attention kernel of attention_kernel.h, written once over vectors of floats (simd_*.h).
//
// Four query heads at a time: a vector of keys or values is converted from f16 once and used four
// times, with one multiply-add each, so that a group of four heads costs 4 instructions per 16
// values read. K dimension-major makes scores without a sum across lanes, V token-major the same
// for outputs.
#pragma once

#include "engine/attention_kernel.h"

namespace memside::engine {

// A count as the size of an array.
constexpr std::size_t extent(int count) {
    return static_cast<std::size_t>(count);
}

template <typename Simd>
struct AttentionBody {
    using Vector = typename Simd::Vector;
    static constexpr int width = Simd::width;
    static constexpr int tile = Simd::tile;
    static constexpr int most_rows = 4;
    static constexpr int most_tokens = tile * width;
    static constexpr float minus_infinity = -__builtin_huge_valf();

    // Fetches the cache lines that `vectors` vectors of f16 at `from` lie in, to level 2: two pages
    // do not fit a level-1 cache of 32 KiB. Measured with 16 KiB pages, 2 threads: to level 2 93 %
    // of the stream rate, to level 1 70 %.
    template <int vectors>
    static void prefetch(const std::uint16_t* from) {
        for (int at = 0; at < vectors * width; at += 32) __builtin_prefetch(from + at, 0, 2);
    }

    // 2^x for x <= 0, to about one unit in the last place: whole part into the exponent, the rest,
    // at most a half, by the series of e^(x ln 2).
    static Vector power_of_two(Vector x) {
        x = Simd::larger(x, Simd::all(-150.0F));
        const Vector whole = Simd::round(x);
        const Vector r = Simd::subtract(x, whole);
        Vector p = Simd::all(1.5403530e-4F);
        p = Simd::multiply_add(p, r, Simd::all(1.3333558e-3F));
        p = Simd::multiply_add(p, r, Simd::all(9.6181291e-3F));
        p = Simd::multiply_add(p, r, Simd::all(5.5504109e-2F));
        p = Simd::multiply_add(p, r, Simd::all(2.4022651e-1F));
        p = Simd::multiply_add(p, r, Simd::all(6.9314718e-1F));
        p = Simd::multiply_add(p, r, Simd::all(1.0F));
        return Simd::scale_by_power(p, whole);
    }
    static float power_of_two(float x) {
        float lanes[extent(width)];
        Simd::store(lanes, power_of_two(Simd::all(x)));
        return lanes[0];
    }

    // Scores of `vectors` x width tokens from `token` on.
    template <int rows, int vectors>
    static void scores(const AttendPage& job, int row, std::int64_t token,
                       Vector (&s)[extent(rows)][extent(tile)]) {
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) s[r][v] = Simd::zero();
        }
        const std::uint16_t* keys = job.page.keys + token;
        const std::uint16_t* next = (row == 0 ? job.next.keys : job.page.keys) + token;
        const float* query = job.queries + row * job.head_dim;
        for (int d = 0; d < job.head_dim; ++d, keys += job.page_tokens, next += job.page_tokens) {
            prefetch<vectors>(next);
            Vector k[extent(vectors)];
            for (int v = 0; v < vectors; ++v) k[v] = Simd::load_half(keys + v * width);
            for (int r = 0; r < rows; ++r) {
                const Vector q = Simd::all(query[r * job.head_dim + d]);
                for (int v = 0; v < vectors; ++v) s[r][v] = Simd::multiply_add(q, k[v], s[r][v]);
            }
        }
    }

    // Turns the scores of a row into weights and returns by how much what came before shrinks.
    template <int vectors>
    static float weights(const AttendPage& job, int row, std::int64_t token,
                         Vector (&s)[extent(tile)], float* to) {
        const Vector outside = Simd::all(minus_infinity);
        Vector largest = outside;
        for (int v = 0; v < vectors; ++v) {
            const std::int64_t at = token + v * width;
            s[v] = Simd::within(s[v], job.first - at, job.last - at, outside);
            largest = Simd::larger(largest, s[v]);
        }
        const float before = job.state.largest[row];
        const float found = Simd::largest_of(largest);
        const float raised = before > found ? before : found;
        Vector sum = Simd::zero();
        for (int v = 0; v < vectors; ++v) {
            const std::int64_t at = token + v * width;
            Vector w = power_of_two(Simd::subtract(s[v], Simd::all(raised)));
            w = Simd::within(w, job.first - at, job.last - at, Simd::zero());
            sum = Simd::add(sum, w);
            Simd::store(to + v * width, w);
        }
        const float shrink = before == raised ? 1.0F : power_of_two(before - raised);
        job.state.largest[row] = raised;
        job.state.sum[row] = job.state.sum[row] * shrink + Simd::sum_of(sum);
        return shrink;
    }

    // Adds weights x values of tokens [first, last) for `vectors` x width dimensions from `dim` on.
    template <int rows, int vectors>
    static void accumulate(const AttendPage& job, int row, std::int64_t dim, std::int64_t token,
                           std::int64_t first, std::int64_t last, const float* shrink,
                           const float (&w)[extent(rows)][extent(most_tokens)]) {
        Vector sums[extent(rows)][extent(vectors)];
        float* state = job.state.values + row * job.value_stride + dim;
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                sums[r][v] = Simd::multiply(Simd::load(state + r * job.value_stride + v * width),
                                            Simd::all(shrink[r]));
            }
        }
        const std::uint16_t* from = job.page.values + first * job.value_stride + dim;
        const std::uint16_t* next =
            (row == 0 ? job.next.values : job.page.values) + first * job.value_stride + dim;
        for (std::int64_t t = first; t < last;
             ++t, from += job.value_stride, next += job.value_stride) {
            prefetch<vectors>(next);
            Vector x[extent(vectors)];
            for (int v = 0; v < vectors; ++v) x[v] = Simd::load_half(from + v * width);
            for (int r = 0; r < rows; ++r) {
                const Vector weight = Simd::all(w[r][t - token]);
                for (int v = 0; v < vectors; ++v) {
                    sums[r][v] = Simd::multiply_add(weight, x[v], sums[r][v]);
                }
            }
        }
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                Simd::store(state + r * job.value_stride + v * width, sums[r][v]);
            }
        }
    }

    template <int rows, int vectors>
    static void token_block(const AttendPage& job, int row, std::int64_t token) {
        const std::int64_t end = token + vectors * width;
        const std::int64_t first = job.first > token ? job.first : token;
        const std::int64_t last = job.last < end ? job.last : end;
        if (first >= last) return;
        Vector s[extent(rows)][extent(tile)];
        scores<rows, vectors>(job, row, token, s);
        alignas(64) float w[extent(rows)][extent(most_tokens)];
        float shrink[extent(rows)];
        for (int r = 0; r < rows; ++r) {
            shrink[r] = weights<vectors>(job, row + r, token, s[r], w[r]);
        }
        std::int64_t dim = 0;
        for (; dim + tile * width <= job.value_stride; dim += tile * width) {
            accumulate<rows, tile>(job, row, dim, token, first, last, shrink, w);
        }
        for (; dim < job.value_stride; dim += width) {
            accumulate<rows, 1>(job, row, dim, token, first, last, shrink, w);
        }
    }

    template <int rows>
    static void row_block(const AttendPage& job, int row) {
        // Page sizes are powers of two from 16 up: whole blocks, or one of fewer vectors.
        std::int64_t token = 0;
        for (; token + most_tokens <= job.page_tokens; token += most_tokens) {
            token_block<rows, tile>(job, row, token);
        }
        for (; token < job.page_tokens; token += kv_lanes) {
            token_block<rows, kv_lanes / width>(job, row, token);
        }
    }

    static void attend(const AttendPage& job) {
        int row = 0;
        for (; row + 4 <= job.rows; row += 4) row_block<4>(job, row);
        switch (job.rows - row) {
            case 3:
                return row_block<3>(job, row);
            case 2:
                return row_block<2>(job, row);
            case 1:
                return row_block<1>(job, row);
            default:
                return;
        }
    }
};

}  // namespace memside::engine
