// Vectors of 16 floats. Only for files compiled for AVX-512.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace memside::engine {

struct SimdAvx512 {
    using Vector = __m512;
    using Words = __m512i;  // as many 32-bit words as a Vector has floats
    static constexpr int width = 16;
    static constexpr int tile = 4;  // vectors of tokens or dimensions that a loop holds per row
    static constexpr int most_rows = 6;  // 24 sums, 4 vectors read and a factor, of 32 registers

    static Vector zero() { return _mm512_setzero_ps(); }
    static Vector all(float x) { return _mm512_set1_ps(x); }
    static Vector load(const float* from) { return _mm512_loadu_ps(from); }
    static Vector load_half(const std::uint16_t* from) {
        return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    }
    static Vector load_bf16(const std::uint16_t* from) {
        return first_bf16(
            _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
    }
    static Words load_words(const std::byte* from) { return _mm512_loadu_si512(from); }
    // Of the pairs of bf16 that words hold.
    static Vector first_bf16(Words w) { return _mm512_castsi512_ps(_mm512_slli_epi32(w, 16)); }
    static Vector second_bf16(Words w) {
        return _mm512_castsi512_ps(_mm512_and_si512(w, _mm512_set1_epi32(-65536)));
    }
    // The i-th of the four signed bytes of each word.
    template <int i>
    static Vector byte_of(Words w) {
        if constexpr (i < 3) w = _mm512_slli_epi32(w, 24 - 8 * i);
        return _mm512_cvtepi32_ps(_mm512_srai_epi32(w, 24));
    }
    static void store(float* to, Vector v) { _mm512_storeu_ps(to, v); }
    static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
    static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
    static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
    static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
    static Vector larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }
    static float sum_of(Vector v) { return _mm512_reduce_add_ps(v); }
    static float largest_of(Vector v) { return _mm512_reduce_max_ps(v); }

    // Lanes l with first <= l < last of `v`, `other` elsewhere.
    static Vector within(Vector v, std::int64_t first, std::int64_t last, Vector other) {
        const std::uint32_t below_last = last >= width ? 0xFFFFU
                                         : last <= 0   ? 0U
                                                       : (1U << last) - 1U;
        const std::uint32_t below_first = first >= width ? 0xFFFFU
                                          : first <= 0   ? 0U
                                                         : (1U << first) - 1U;
        return _mm512_mask_mov_ps(other, static_cast<__mmask16>(below_last & ~below_first), v);
    }

    static Vector round(Vector v) {
        return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    // v x 2^n for whole n.
    static Vector scale_by_power(Vector v, Vector n) { return _mm512_scalef_ps(v, n); }
};

}  // namespace memside::engine
