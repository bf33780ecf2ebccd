// AVX2 with FMA and F16C. Compiled with those instructions; called only where they exist.
#include <immintrin.h>

#include "engine/matmul.h"
#include "engine/matmul_unpack.h"

namespace memside::engine {
namespace {

struct Avx2 {
    static float float_from_half(std::uint16_t bits) { return _cvtsh_ss(bits); }
};

float sum_of(__m256 v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

__m256i widened(const std::int8_t* q) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
}

// Adds the chunk's dot product with `terms` bytes of activations to `total`, the low ones `low`
// behind `q`. Integers are widened to 16 bits first: the products of unsigned and signed bytes of
// _mm256_maddubs_epi16 saturate.
template <int terms>
__m256 add_chunk(const WeightChunk& w, const std::int8_t* q, std::int64_t low, const float* scales,
                 const float* sums, __m256 total) {
    for (int s = 0; s < 16; ++s) {
        const __m256i u = _mm256_cvtepu8_epi16(
            _mm_load_si128(reinterpret_cast<const __m128i*>(w.values + 16 * s)));
        __m256i dot = _mm256_madd_epi16(u, widened(q + 16 * s));
        if constexpr (terms == 2) {
            dot = _mm256_add_epi32(_mm256_slli_epi32(dot, 8),
                                   _mm256_madd_epi16(u, widened(q + low + 16 * s)));
        }
        total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_set1_ps(w.scales[s] * scales[s]),
                                total);
    }
    for (int s = 0; s < 16; s += 8) {
        total = _mm256_fmadd_ps(_mm256_load_ps(w.offsets + s), _mm256_loadu_ps(sums + s), total);
    }
    return total;
}

constexpr int token_tile = 8;

// A row of quantised weights for up to `token_tile` tokens, each chunk unpacked once.
template <int terms>
void quantized_row(const MatmulTask& task, const QuantizedRows& x, std::int64_t r,
                   std::int64_t first_token, std::int64_t tokens) {
    const std::uint8_t* row = task.weight.row(r);
    __m256 totals[token_tile];
    for (__m256& total : totals) total = _mm256_setzero_ps();
    for (std::int64_t c = 0; c < x.chunks; ++c) {
        WeightChunk w;
        Unpack<Avx2>::chunk(task.weight, row, c, w);
        for (std::int64_t t = 0; t < tokens; ++t) {
            const std::int64_t at = 16 * ((first_token + t) * x.chunks + c);
            totals[t] = add_chunk<terms>(w, x.chunk(first_token + t, c), x.low_offset(),
                                         x.scales + at, x.sums + at, totals[t]);
        }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
        task.y[(first_token + t) * task.y_stride + r] = sum_of(totals[t]);
    }
}

__m256 load_weights(WeightType type, const std::uint8_t* row, std::int64_t index) {
    if (type == WeightType::f32) {
        return _mm256_loadu_ps(reinterpret_cast<const float*>(row + 4 * index));
    }
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 2 * index));
    if (type == WeightType::f16) return _mm256_cvtph_ps(bits);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

float float_dot(const Matrix& weight, const std::uint8_t* row, const float* x) {
    __m256 even = _mm256_setzero_ps();
    __m256 odd = _mm256_setzero_ps();
    std::int64_t i = 0;
    for (; i + 16 <= weight.columns; i += 16) {
        even = _mm256_fmadd_ps(load_weights(weight.type, row, i), _mm256_loadu_ps(x + i), even);
        odd =
            _mm256_fmadd_ps(load_weights(weight.type, row, i + 8), _mm256_loadu_ps(x + i + 8), odd);
    }
    float total = sum_of(_mm256_add_ps(even, odd));
    const int bytes = weight.type == WeightType::f32 ? 4 : 2;
    for (; i < weight.columns; ++i) {
        std::uint8_t last[32] = {};
        std::memcpy(last, row + i * bytes, static_cast<std::size_t>(bytes));
        total += _mm256_cvtss_f32(load_weights(weight.type, last, 0)) * x[i];
    }
    return total;
}

}  // namespace

void matmul_rows_avx2(const MatmulTask& task) {
    const std::int64_t tokens = task.activations->rows();
    const bool quantized = is_quantized(task.weight.type);
    for (std::int64_t r = task.first; r < task.last; ++r) {
        if (!quantized) {
            const std::uint8_t* row = task.weight.row(r);
            for (std::int64_t t = 0; t < tokens; ++t) {
                task.y[t * task.y_stride + r] =
                    float_dot(task.weight, row, task.activations->row(t));
            }
            continue;
        }
        const QuantizedRows x = task.activations->integers();
        const auto one_row = x.terms == 2 ? quantized_row<2> : quantized_row<1>;
        for (std::int64_t t = 0; t < tokens; t += token_tile) {
            one_row(task, x, r, t, tokens - t < token_tile ? tokens - t : token_tile);
        }
    }
}

}  // namespace memside::engine
