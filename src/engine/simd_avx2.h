// Vectors of 8 floats. Only for files compiled for AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace memside::engine {

struct SimdAvx2 {
    using Vector = __m256;
    using Words = __m256i;  // as many 32-bit words as a Vector has floats
    static constexpr int width = 8;
    static constexpr int tile = 2;  // 16 registers hold 4 rows x 2 vectors and what they need
    static constexpr int most_rows = 4;

    static Vector zero() { return _mm256_setzero_ps(); }
    static Vector all(float x) { return _mm256_set1_ps(x); }
    static Vector load(const float* from) { return _mm256_loadu_ps(from); }
    static Vector load_half(const std::uint16_t* from) {
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    }
    static Vector load_bf16(const std::uint16_t* from) {
        return first_bf16(
            _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    }
    static Words load_words(const std::byte* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    // Of the pairs of bf16 that words hold.
    static Vector first_bf16(Words w) { return _mm256_castsi256_ps(_mm256_slli_epi32(w, 16)); }
    static Vector second_bf16(Words w) {
        return _mm256_castsi256_ps(_mm256_and_si256(w, _mm256_set1_epi32(-65536)));
    }
    // The i-th of the four signed bytes of each word.
    template <int i>
    static Vector byte_of(Words w) {
        if constexpr (i < 3) w = _mm256_slli_epi32(w, 24 - 8 * i);
        return _mm256_cvtepi32_ps(_mm256_srai_epi32(w, 24));
    }
    static void store(float* to, Vector v) { _mm256_storeu_ps(to, v); }
    static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
    static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
    static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
    static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
    static Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
    static float sum_of(Vector v) {
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static float largest_of(Vector v) {
        const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
    }

    // Lanes l with first <= l < last of `v`, `other` elsewhere.
    static Vector within(Vector v, std::int64_t first, std::int64_t last, Vector other) {
        const __m256i lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
        const auto before = [&](std::int64_t bound) {
            const std::int64_t clamped = bound < 0 ? 0 : bound > width ? width : bound;
            return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(clamped)), lanes);
        };
        const __m256i inside = _mm256_andnot_si256(before(first), before(last));
        return _mm256_blendv_ps(other, v, _mm256_castsi256_ps(inside));
    }

    static Vector round(Vector v) {
        return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    // v x 2^n for whole n; 0 for n below -126, where the exponent would wrap.
    static Vector scale_by_power(Vector v, Vector n) {
        const __m256i exponent =
            _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
        const __m256 power = _mm256_and_ps(_mm256_castsi256_ps(exponent),
                                           _mm256_cmp_ps(n, _mm256_set1_ps(-126.0F), _CMP_GE_OQ));
        return _mm256_mul_ps(v, power);
    }
};

}  // namespace memside::engine
