// Blocks of tokens with AVX-512. Compiled with those instructions; called only where they exist.
#include "engine/dequantize.h"
#include "engine/matmul_avx512_formats.h"
#include "engine/matmul_block.h"

namespace memside::engine {
namespace {

struct Simd {
    using Vector = __m512;
    static constexpr std::int64_t width = 16;
    static Vector load(const float* from) { return _mm512_loadu_ps(from); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
    static float sum(Vector v) { return _mm512_reduce_add_ps(v); }
    static void store_sums(const Vector (&v)[4], float* to) {
        const Vector ab =
            _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
        const Vector cd =
            _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
        // Each quarter of the vector: a part of the sums of v[0], v[1], v[2], v[3].
        const Vector all =
            _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
        const __m256 half =
            _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
        _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
    }
};

// Sub-block s of the chunk begins at value 16 s: sixteen floats with one scale and one offset.
void store_chunk(const avx512::Chunk& w, float* to) {
    alignas(64) float scales[16];
    alignas(64) float offsets[16];
    _mm512_store_ps(scales, w.scales);
    _mm512_store_ps(offsets, w.offsets);
    for (int c = 0; c < 4; ++c) {
        const __m128i quarters[] = {
            _mm512_castsi512_si128(w.values[c]), _mm512_extracti32x4_epi32(w.values[c], 1),
            _mm512_extracti32x4_epi32(w.values[c], 2), _mm512_extracti32x4_epi32(w.values[c], 3)};
        for (int q = 0; q < 4; ++q) {
            const __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(quarters[q]));
            _mm512_storeu_ps(to + 64 * c + 16 * q,
                             _mm512_fmadd_ps(value, _mm512_set1_ps(scales[4 * c + q]),
                                             _mm512_set1_ps(offsets[4 * c + q])));
        }
    }
}

template <typename Format>
void quantized_block(const MatmulTask& task) {
    multiply_block<Simd>(task, [&](const std::uint8_t* row, float* to) {
        const std::int64_t whole = task.weight.columns / chunk_values;
        for (std::int64_t c = 0; c < whole; ++c) {
            store_chunk(Format::load(row + c * Format::chunk_bytes), to + c * chunk_values);
        }
        // What fills no chunk must not be read beyond.
        dequantize(task.weight.type, row + whole * Format::chunk_bytes,
                   task.weight.columns % chunk_values, to + whole * chunk_values);
    });
}

template <WeightType type>
void float_block(const MatmulTask& task) {
    multiply_block<Simd>(task, [&](const std::uint8_t* row, float* to) {
        const std::int64_t columns = task.weight.columns;
        for (std::int64_t i = 0; i < columns; i += 16) {
            const std::int64_t left = columns - i;
            const auto lanes = static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
            _mm512_storeu_ps(to + i, avx512::load_floats<type>(row, i, lanes));
        }
    });
}

}  // namespace

void matmul_block_avx512(const MatmulTask& task) {
    switch (task.weight.type) {
        case WeightType::f32:
            return float_block<WeightType::f32>(task);
        case WeightType::f16:
            return float_block<WeightType::f16>(task);
        case WeightType::bf16:
            return float_block<WeightType::bf16>(task);
        case WeightType::q8_0:
            return quantized_block<avx512::Q8_0>(task);
        case WeightType::q4_0:
            return quantized_block<avx512::Q4_0>(task);
        case WeightType::q4_1:
            return quantized_block<avx512::Q4_1>(task);
        case WeightType::q5_0:
            return quantized_block<avx512::Q5_0>(task);
        case WeightType::q5_1:
            return quantized_block<avx512::Q5_1>(task);
        case WeightType::q4_k:
            return quantized_block<avx512::Q4_K>(task);
        case WeightType::q5_k:
            return quantized_block<avx512::Q5_K>(task);
        case WeightType::q6_k:
            return quantized_block<avx512::Q6_K>(task);
    }
}

}  // namespace memside::engine
