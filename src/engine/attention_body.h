// The attention kernel of attention_kernel.h, written once over vectors of floats (simd_*.h) and
// over the products that a type of keys and values takes (attention_products.h, attention_vnni.h).
//
// Several query heads at a time: what is read is converted once and used by all of them. K with
// tokens across lanes makes scores without a sum across lanes, V with dimensions across lanes the
// same for outputs.
#pragma once

#include "engine/attention_kernel.h"

namespace memside::engine {

// A count as the size of an array.
constexpr std::size_t extent(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

// Tokens whose scores and weights are held at a time; pages are whole blocks, or one smaller one.
inline constexpr std::int64_t block_tokens = 64;

// One of the passes over a page, of rows from `row` on; `alone`: there is no other.
template <bool alone>
struct AttentionPass {
    int row = 0;
    int index = 0;
};

// Fetches the next page while a loop goes over this one in steps of `bytes`: all of a step's cache
// lines when there is one pass, else the first half in the first pass and the other half in the
// second, so that memory is not asked for everything in one and for nothing in the others.
template <typename Simd, std::int64_t bytes, bool alone>
struct FetchAhead {
    static constexpr bool splits = bytes >= 128 && !alone;
    static constexpr std::int64_t share = splits ? bytes / 2 : bytes;

    // `next` and `page` are where the steps begin in either.
    FetchAhead(const AttentionPass<alone>& pass, const std::byte* next, const std::byte* page)
        : at(pass.index == 0             ? next
             : pass.index == 1 && splits ? next + share
                                         : page) {}

    // To level 2: two pages do not fit a level-1 cache of 32 KiB. Measured with 16 KiB pages, 2
    // threads: to level 2 93 % of the stream rate, to level 1 70 %. Inlined, or GCC takes a
    // function that only fetches for one without effect and leaves out the call.
    [[gnu::always_inline]] void step(std::int64_t stride) {
        for (std::int64_t i = 0; i < share; i += 64) __builtin_prefetch(at + i, 0, 2);
        at += stride;
    }

    const std::byte* at;
};

// Fetches as many scales.
template <typename Simd, std::int64_t count>
[[gnu::always_inline]] inline void fetch_scales(const std::uint16_t* from) {
    for (std::int64_t i = 0; i < count; i += 32) __builtin_prefetch(from + i, 0, 2);
}

// Products provides, for at most most_rows rows and in steps of `tile` vectors:
//   Queries<rows>(job, row)           the queries as its products take them
//   scores<rows, vectors, alone>      of vectors x width tokens
//   Weights<rows>(w, tokens)          the weights of a block as its products take them
//   accumulate<rows, vectors, alone>  weights x values of vectors x width dimensions
//   scaled                            whether values have scales, which weigh() multiplies in
template <typename Simd, typename Products>
struct AttentionBody {
    using Vector = typename Simd::Vector;
    static constexpr int width = Simd::width;
    static constexpr float minus_infinity = -__builtin_huge_valf();

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

    // Turns scores of tokens [first, last) into weights, times the scales of the values where there
    // are some, and zero for the other tokens of the block, whose scores may be anything. What came
    // before shrinks by shrink[r]. All rows take each step together: one alone would wait for its
    // own sums across lanes.
    template <int rows, bool whole>
    static void weigh(const AttendPage& job, int row, std::int64_t token, std::int64_t count,
                      std::int64_t first, std::int64_t last,
                      float (&s)[extent(rows)][extent(block_tokens)],
                      float (&shrink)[extent(rows)]) {
        const auto inside = [&](Vector x, std::int64_t i, float outside) {
            if constexpr (whole) return x;
            const std::int64_t at = token + i;
            return Simd::within(x, first - at, last - at, Simd::all(outside));
        };
        Vector largest[extent(rows)];
        for (int r = 0; r < rows; ++r) {
            largest[r] = Simd::all(minus_infinity);
            for (std::int64_t i = 0; i < count; i += width) {
                largest[r] =
                    Simd::larger(largest[r], inside(Simd::load(s[r] + i), i, minus_infinity));
            }
        }
        float raised[extent(rows)];
        for (int r = 0; r < rows; ++r) {
            const float before = job.state.largest[row + r];
            const float found = Simd::largest_of(largest[r]);
            raised[r] = before > found ? before : found;
            shrink[r] = before == raised[r] ? 1.0F : power_of_two(before - raised[r]);
            job.state.largest[row + r] = raised[r];
        }
        Vector sums[extent(rows)];
        for (int r = 0; r < rows; ++r) sums[r] = Simd::zero();
        for (std::int64_t i = 0; i < count; i += width) {
            Vector scale;
            if constexpr (Products::scaled) {
                scale = inside(Simd::load_bf16(job.page.value_scales + token + i), i, 0.0F);
            }
            for (int r = 0; r < rows; ++r) {
                const Vector x = Simd::subtract(Simd::load(s[r] + i), Simd::all(raised[r]));
                Vector w = inside(power_of_two(x), i, 0.0F);
                sums[r] = Simd::add(sums[r], w);
                if constexpr (Products::scaled) w = Simd::multiply(w, scale);
                Simd::store(s[r] + i, w);
            }
        }
        for (int r = 0; r < rows; ++r) {
            float& sum = job.state.sum[row + r];
            sum = sum * shrink[r] + Simd::sum_of(sums[r]);
        }
    }

    template <int rows, int vectors, bool alone>
    static void all_scores(const AttendPage& job,
                           const typename Products::template Queries<rows>& q,
                           const AttentionPass<alone>& pass, std::int64_t token, std::int64_t last,
                           float (&s)[extent(rows)][extent(block_tokens)], std::int64_t at) {
        for (; token + vectors * width <= last; token += vectors * width, at += vectors * width) {
            Products::template scores<rows, vectors, alone>(job, q, pass, token, s, at);
        }
        if constexpr (vectors > 1 && vectors * width > kv_lanes) {
            if (token < last)
                all_scores<rows, vectors / 2, alone>(job, q, pass, token, last, s, at);
        }
    }

    template <int rows, int vectors, bool alone>
    static void all_values(const AttendPage& job,
                           const typename Products::template Weights<rows>& w,
                           const AttentionPass<alone>& pass, std::int64_t token, std::int64_t first,
                           std::int64_t last, const float (&shrink)[extent(rows)],
                           std::int64_t dim) {
        for (; dim + vectors * width <= job.value_stride; dim += vectors * width) {
            Products::template accumulate<rows, vectors, alone>(job, w, pass, dim, token, first,
                                                                last, shrink);
        }
        if constexpr (vectors > 1 && vectors * width > kv_lanes) {
            if (dim < job.value_stride) {
                all_values<rows, vectors / 2, alone>(job, w, pass, token, first, last, shrink, dim);
            }
        }
    }

    template <int rows, bool alone>
    static void row_block(const AttendPage& job, const AttentionPass<alone>& pass) {
        const typename Products::template Queries<rows> queries(job, pass.row);
        const std::int64_t count = job.page_tokens < block_tokens ? job.page_tokens : block_tokens;
        for (std::int64_t token = 0; token < job.page_tokens; token += count) {
            const std::int64_t first = job.first > token ? job.first : token;
            const std::int64_t last = job.last < token + count ? job.last : token + count;
            if (first >= last) continue;
            alignas(64) float s[extent(rows)][extent(block_tokens)];
            all_scores<rows, Products::tile, alone>(job, queries, pass, token, token + count, s, 0);
            float shrink[extent(rows)];
            if (last - first == count) {
                weigh<rows, true>(job, pass.row, token, count, first, last, s, shrink);
            } else {
                weigh<rows, false>(job, pass.row, token, count, first, last, s, shrink);
            }
            const typename Products::template Weights<rows> w(s, count);
            all_values<rows, Products::tile, alone>(job, w, pass, token, first, last, shrink, 0);
        }
    }

    template <int rows, bool alone>
    static void rows_from(const AttendPage& job, const AttentionPass<alone>& pass, int count) {
        if (count == rows) return row_block<rows, alone>(job, pass);
        if constexpr (rows > 1) rows_from<rows - 1, alone>(job, pass, count);
    }

    // Passes over the page of as many rows each as can be, even: 8 rows are twice 4, not 6 and 2.
    static void attend(const AttendPage& job) {
        if (job.rows <= Products::most_rows) {
            return rows_from<Products::most_rows, true>(job, {}, job.rows);
        }
        const int passes = (job.rows + Products::most_rows - 1) / Products::most_rows;
        for (int index = 0; index < passes; ++index) {
            const int row = job.rows * index / passes;
            rows_from<Products::most_rows, false>(job, {row, index},
                                                  job.rows * (index + 1) / passes - row);
        }
    }
};

}  // namespace memside::engine
