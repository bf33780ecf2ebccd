// Products of queries with keys and of weights with values in f32, exact products of what is
// stored, for every type and over any vectors of floats. Only for the kernel files.
#pragma once

#include "engine/attention_body.h"

namespace memside::engine {

// How a type's lanes (kv_page.h) become floats: `read` loads the lanes of a vector of floats,
// value<i> takes out the i-th neighbour of each.
template <typename Simd>
struct HalfLanes {
    using Raw = typename Simd::Vector;
    static constexpr KvFormat format = kv_format(kv::ValueType::f16);
    static Raw read(const std::byte* from) {
        return Simd::load_half(reinterpret_cast<const std::uint16_t*>(from));
    }
    template <int i>
    static typename Simd::Vector value(Raw raw) {
        return raw;
    }
};

template <typename Simd>
struct Bf16Lanes {
    using Raw = typename Simd::Words;
    static constexpr KvFormat format = kv_format(kv::ValueType::bf16);
    static Raw read(const std::byte* from) { return Simd::load_words(from); }
    template <int i>
    static typename Simd::Vector value(Raw raw) {
        return i == 0 ? Simd::first_bf16(raw) : Simd::second_bf16(raw);
    }
};

template <typename Simd>
struct Int8Lanes {
    using Raw = typename Simd::Words;
    static constexpr KvFormat format = kv_format(kv::ValueType::int8);
    static Raw read(const std::byte* from) { return Simd::load_words(from); }
    template <int i>
    static typename Simd::Vector value(Raw raw) {
        return Simd::template byte_of<i>(raw);
    }
};

template <typename Simd, typename Lanes>
struct FloatProducts {
    using Vector = typename Simd::Vector;
    using Raw = typename Lanes::Raw;
    static constexpr int width = Simd::width;
    static constexpr int tile = Simd::tile;
    static constexpr int most_rows = Simd::most_rows;
    static constexpr bool scaled = Lanes::format.scaled;
    static constexpr std::int64_t interleave = Lanes::format.interleave;

    template <int rows>
    struct Queries {
        Queries(const AttendPage& job, int row) : at(job.queries + row * job.head_dim) {}
        const float* at;  // [rows][head_dim]
    };
    template <int rows>
    struct Weights {
        Weights(const float (&w)[extent(rows)][extent(block_tokens)], std::int64_t) : at(w[0]) {}
        const float* at;  // [rows][block_tokens]
    };

    // Rows of lanes, or parts of them, times factors: factors[r][i - begin] for neighbour i.
    template <bool alone>
    struct Operands {
        const std::byte* from;
        const std::byte* next;  // likewise in the next page
        const AttentionPass<alone>& pass;
        std::int64_t row_bytes;  // from one row of lanes to the next
        const float* factors;
        std::int64_t factor_stride;
        std::int64_t begin;
    };

    // Adds neighbours i.. of a row of lanes, those within [first, last) of them. Inlined, as add()
    // is, or the sums would live in memory.
    template <int rows, int vectors, int i, bool whole>
    [[gnu::always_inline]] static void add_row(const Raw (&raw)[extent(vectors)],
                                               const float* factors, std::int64_t factor_stride,
                                               std::int64_t first, std::int64_t last,
                                               Vector (&sums)[extent(rows)][extent(vectors)]) {
        if (whole || (i >= first && i < last)) {
            Vector x[extent(vectors)];
            for (int v = 0; v < vectors; ++v) x[v] = Lanes::template value<i>(raw[v]);
            for (int r = 0; r < rows; ++r) {
                const Vector factor = Simd::all(factors[r * factor_stride + i]);
                for (int v = 0; v < vectors; ++v) {
                    sums[r][v] = Simd::multiply_add(factor, x[v], sums[r][v]);
                }
            }
        }
        if constexpr (i + 1 < interleave) {
            add_row<rows, vectors, i + 1, whole>(raw, factors, factor_stride, first, last, sums);
        }
    }

    // Adds neighbours [first, last), dimensions of keys or tokens of values. Those of a row of
    // lanes that are outside are left out, not multiplied by zero: they may be anything.
    template <int rows, int vectors, bool alone>
    [[gnu::always_inline]] static void add(const Operands<alone>& of, std::int64_t first,
                                           std::int64_t last,
                                           Vector (&sums)[extent(rows)][extent(vectors)]) {
        constexpr std::int64_t lane_bytes = width * Lanes::format.lane_bytes;
        std::int64_t i = first / interleave * interleave;
        const std::int64_t skipped = i / interleave * of.row_bytes;
        const std::byte* from = of.from + skipped;
        const float* factors = of.factors + (i - of.begin);
        FetchAhead<Simd, vectors * lane_bytes, alone> ahead(of.pass, of.next + skipped, from);
        for (; i < last; i += interleave, from += of.row_bytes, factors += interleave) {
            ahead.step(of.row_bytes);
            Raw raw[extent(vectors)];
            for (int v = 0; v < vectors; ++v) raw[v] = Lanes::read(from + v * lane_bytes);
            if (interleave == 1 || (i >= first && i + interleave <= last)) [[likely]] {
                add_row<rows, vectors, 0, true>(raw, factors, of.factor_stride, 0, 0, sums);
            } else {
                add_row<rows, vectors, 0, false>(raw, factors, of.factor_stride, first - i,
                                                 last - i, sums);
            }
        }
    }

    // Scores of vectors x width tokens from `token` on, to s[..][at]. Not inlined, as accumulate()
    // is not: together they have more pointers than there are registers.
    template <int rows, int vectors, bool alone>
    [[gnu::noinline]] static void scores(const AttendPage& job, const Queries<rows>& queries,
                                         const AttentionPass<alone>& pass, std::int64_t token,
                                         float (&s)[extent(rows)][extent(block_tokens)],
                                         std::int64_t at) {
        const std::int64_t offset = token * Lanes::format.lane_bytes;
        const Operands<alone> operands{job.page.keys + offset,
                                       job.next.keys + offset,
                                       pass,
                                       job.page_tokens * Lanes::format.lane_bytes,
                                       queries.at,
                                       job.head_dim,
                                       0};
        const std::int64_t step = scaled ? scaled_dims : job.head_dim;
        for (std::int64_t d = 0; d < job.head_dim; d += step) {
            Vector sums[extent(rows)][extent(vectors)];
            for (int r = 0; r < rows; ++r) {
                for (int v = 0; v < vectors; ++v) sums[r][v] = Simd::zero();
            }
            const std::int64_t last = d + step < job.head_dim ? d + step : job.head_dim;
            add<rows, vectors, alone>(operands, d, last, sums);
            if constexpr (scaled) {
                const std::int64_t scale = d / scaled_dims * job.page_tokens + token;
                fetch_scales<Simd, vectors * width>(job.next.key_scales + scale);
                for (int v = 0; v < vectors; ++v) {
                    const Vector by = Simd::load_bf16(job.page.key_scales + scale + v * width);
                    for (int r = 0; r < rows; ++r) {
                        float* to = s[r] + at + v * width;
                        Simd::store(to, d == 0
                                            ? Simd::multiply(by, sums[r][v])
                                            : Simd::multiply_add(by, sums[r][v], Simd::load(to)));
                    }
                }
            } else {
                for (int r = 0; r < rows; ++r) {
                    for (int v = 0; v < vectors; ++v) {
                        Simd::store(s[r] + at + v * width, sums[r][v]);
                    }
                }
            }
        }
        if constexpr (scaled) fetch_scales<Simd, vectors * width>(job.next.value_scales + token);
    }

    // Adds weights x values of tokens [first, last) for vectors x width dimensions from `dim` on to
    // the states, which shrink first. The weights are those from `token` on.
    template <int rows, int vectors, bool alone>
    [[gnu::noinline]] static void accumulate(const AttendPage& job, const Weights<rows>& w,
                                             const AttentionPass<alone>& pass, std::int64_t dim,
                                             std::int64_t token, std::int64_t first,
                                             std::int64_t last,
                                             const float (&shrink)[extent(rows)]) {
        Vector sums[extent(rows)][extent(vectors)];
        float* state = job.state.values + pass.row * job.value_stride + dim;
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                sums[r][v] = Simd::multiply(Simd::load(state + r * job.value_stride + v * width),
                                            Simd::all(shrink[r]));
            }
        }
        const std::int64_t offset = dim * Lanes::format.lane_bytes;
        const Operands<alone> operands{job.page.values + offset,
                                       job.next.values + offset,
                                       pass,
                                       job.value_stride * Lanes::format.lane_bytes,
                                       w.at,
                                       block_tokens,
                                       token};
        add<rows, vectors, alone>(operands, first, last, sums);
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                Simd::store(state + r * job.value_stride + v * width, sums[r][v]);
            }
        }
    }
};

// All types by f32 products.
template <typename Simd>
void attend_in_floats(const AttendPage& job) {
    switch (job.page.type) {
        case kv::ValueType::bf16:
            return AttentionBody<Simd, FloatProducts<Simd, Bf16Lanes<Simd>>>::attend(job);
        case kv::ValueType::int8:
            return AttentionBody<Simd, FloatProducts<Simd, Int8Lanes<Simd>>>::attend(job);
        default:
            return AttentionBody<Simd, FloatProducts<Simd, HalfLanes<Simd>>>::attend(job);
    }
}

}  // namespace memside::engine
