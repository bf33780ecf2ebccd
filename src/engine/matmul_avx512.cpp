// AVX-512 with VNNI: 64 products of bytes an instruction. Compiled with those instructions; called
// only where they exist. The weights of a chunk are unpacked into registers and used from there.
#include <immintrin.h>

#include "engine/matmul.h"
#include "engine/matmul_avx512_formats.h"

namespace memside::engine {
namespace {

// Lane l of quarter c belongs to sub-block 4c + l / 4: the scales of a chunk spread over the 16
// sums of 4 products that a quarter (64 values) makes.
__m512 spread(__m512 scales, int quarter) {
    const __m512i lanes = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    return _mm512_permutexvar_ps(_mm512_add_epi32(lanes, _mm512_set1_epi32(4 * quarter)), scales);
}

// Adds the products of a chunk and `terms` bytes of activations, the low ones `low` behind `q`.
template <int terms>
inline __m512 add_chunk(const avx512::Chunk& w, const std::int8_t* q, std::int64_t low,
                        const float* scales, const float* sums, __m512 total) {
    const __m512 scale = _mm512_mul_ps(w.scales, _mm512_loadu_ps(scales));
    for (int c = 0; c < 4; ++c) {
        __m512i dot = _mm512_dpbusd_epi32(_mm512_setzero_si512(), w.values[c],
                                          _mm512_loadu_si512(q + 64 * c));
        if constexpr (terms == 2) {
            dot = _mm512_dpbusd_epi32(_mm512_slli_epi32(dot, 8), w.values[c],
                                      _mm512_loadu_si512(q + low + 64 * c));
        }
        total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), spread(scale, c), total);
    }
    return _mm512_fmadd_ps(w.offsets, _mm512_loadu_ps(sums), total);
}

// The blocks of 32 at the end of a row that fill no chunk: what lies behind them counts as zero.
template <typename Format>
avx512::Chunk partial_chunk(const Matrix& weight, const std::uint8_t* from) {
    const auto left = static_cast<unsigned>(weight.columns % chunk_values);
    if (weight.row(weight.rows) - from < Format::chunk_bytes) {
        std::uint8_t padded[Format::chunk_bytes] = {};
        std::memcpy(padded, from, Format::chunk_bytes * left / 256);
        return Format::load(padded);
    }
    avx512::Chunk w = Format::load(from);  // with blocks of the next row
    const auto own = static_cast<__mmask16>((1U << (left / 16)) - 1U);
    w.scales = _mm512_maskz_mov_ps(own, w.scales);
    w.offsets = _mm512_maskz_mov_ps(own, w.offsets);
    return w;
}

// Row `r` for `tokens` tokens from `first` on.
template <typename Format, int terms, int tokens>
void quantized_row(const MatmulTask& task, const QuantizedRows& x, std::int64_t r,
                   std::int64_t first) {
    const std::uint8_t* from = task.weight.row(r);
    const std::int64_t whole = task.weight.columns / chunk_values;
    __m512 totals[static_cast<std::size_t>(tokens)];
    for (__m512& total : totals) total = _mm512_setzero_ps();
    const auto add = [&](const avx512::Chunk& w, std::int64_t c) {
        for (int t = 0; t < tokens; ++t) {
            const std::int64_t at = 16 * ((first + t) * x.chunks + c);
            totals[t] = add_chunk<terms>(w, x.chunk(first + t, c), x.low_offset(), x.scales + at,
                                         x.sums + at, totals[t]);
        }
    };
    for (std::int64_t c = 0; c < whole; ++c, from += Format::chunk_bytes) {
        add(Format::load(from), c);
    }
    if (whole < x.chunks) add(partial_chunk<Format>(task.weight, from), whole);
    for (int t = 0; t < tokens; ++t) {
        task.y[(first + t) * task.y_stride + r] = _mm512_reduce_add_ps(totals[t]);
    }
}

template <typename Format, int terms>
void rows_of_terms(const MatmulTask& task, const QuantizedRows& x) {
    const std::int64_t tokens = task.activations->rows();
    for (std::int64_t r = task.first; r < task.last; ++r) {
        std::int64_t t = 0;
        for (; t + 16 <= tokens; t += 16) quantized_row<Format, terms, 16>(task, x, r, t);
        for (; t + 4 <= tokens; t += 4) quantized_row<Format, terms, 4>(task, x, r, t);
        for (; t < tokens; ++t) quantized_row<Format, terms, 1>(task, x, r, t);
    }
}

template <typename Format>
void quantized_rows(const MatmulTask& task) {
    const QuantizedRows x = task.activations->integers();
    if (x.terms == 2) {
        rows_of_terms<Format, 2>(task, x);
    } else {
        rows_of_terms<Format, 1>(task, x);
    }
}

template <WeightType type, int tokens>
void float_row(const MatmulTask& task, std::int64_t r, std::int64_t first) {
    const std::uint8_t* row = task.weight.row(r);
    const std::int64_t columns = task.weight.columns;
    __m512 totals[static_cast<std::size_t>(tokens)];
    for (__m512& total : totals) total = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < columns; i += 16) {
        const std::int64_t left = columns - i;
        const auto lanes = static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
        const __m512 w = avx512::load_floats<type>(row, i, lanes);
        for (int t = 0; t < tokens; ++t) {
            const float* x = task.activations->row(first + t) + i;
            totals[t] = _mm512_fmadd_ps(w, _mm512_maskz_loadu_ps(lanes, x), totals[t]);
        }
    }
    for (int t = 0; t < tokens; ++t) {
        task.y[(first + t) * task.y_stride + r] = _mm512_reduce_add_ps(totals[t]);
    }
}

template <WeightType type>
void float_rows(const MatmulTask& task) {
    const std::int64_t tokens = task.activations->rows();
    for (std::int64_t r = task.first; r < task.last; ++r) {
        std::int64_t t = 0;
        for (; t + 8 <= tokens; t += 8) float_row<type, 8>(task, r, t);
        for (; t < tokens; ++t) float_row<type, 1>(task, r, t);
    }
}

}  // namespace

void matmul_rows_avx512(const MatmulTask& task) {
    switch (task.weight.type) {
        case WeightType::f32:
            return float_rows<WeightType::f32>(task);
        case WeightType::f16:
            return float_rows<WeightType::f16>(task);
        case WeightType::bf16:
            return float_rows<WeightType::bf16>(task);
        case WeightType::q8_0:
            return quantized_rows<avx512::Q8_0>(task);
        case WeightType::q4_0:
            return quantized_rows<avx512::Q4_0>(task);
        case WeightType::q4_1:
            return quantized_rows<avx512::Q4_1>(task);
        case WeightType::q5_0:
            return quantized_rows<avx512::Q5_0>(task);
        case WeightType::q5_1:
            return quantized_rows<avx512::Q5_1>(task);
        case WeightType::q4_k:
            return quantized_rows<avx512::Q4_K>(task);
        case WeightType::q5_k:
            return quantized_rows<avx512::Q5_K>(task);
        case WeightType::q6_k:
            return quantized_rows<avx512::Q6_K>(task);
    }
}

}  // namespace memside::engine
