// Products of int8 keys and values in integers, four to an instruction of AVX-512 VNNI. What they
// are multiplied with is rounded to 16 bits, as two digits of 8:
//   query   = step x (256 high + low), digits signed, step = largest |q| / 32512
//   weight  = step x (256 high + low), digits unsigned, step = largest weight of the block / 65535
// so a query is off by at most 2^-16 of its largest value and a weight by 2^-17 of the largest
// beside it; sums of products are exact. Against products in f32 that is a quarter of the
// multiplications for two digits' worth, 16 bits where int8 itself has 8.
#pragma once

#include "engine/attention_body.h"
#include "engine/simd_avx512.h"

namespace memside::engine {

struct VnniProducts {
    using Simd = SimdAvx512;
    static constexpr int width = Simd::width;
    static constexpr int most_rows = 5;  // x 2 digits x 2 vectors: 20 sums of 32 registers
    static constexpr int tile = 2;
    static constexpr bool scaled = true;
    static constexpr std::int64_t interleave = 4;
    static constexpr std::int64_t vector_bytes = 64;
    // Longer heads are left to the products in f32.
    static constexpr std::int64_t most_dims = 1024;

    static __m512i all_of(const std::int8_t* four) {
        std::int32_t word = 0;
        __builtin_memcpy(&word, four, sizeof word);
        return _mm512_set1_epi32(word);
    }

    // sum + four products per 32 bits. The intrinsic would do, but GCC 12 copies its sums about and
    // runs out of registers.
    static __m512i add_products(__m512i sum, __m512i unsigned_bytes, __m512i signed_bytes) {
        asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(unsigned_bytes), "v"(signed_bytes));
        return sum;
    }

    // Digits, four neighbours to a word.
    template <int rows>
    struct Queries {
        Queries(const AttendPage& job, int row) {
            float inverses[extent(rows)];
            for (int r = 0; r < rows; ++r) {
                const float* query = job.queries + (row + r) * job.head_dim;
                __m512 largest = _mm512_setzero_ps();
                for (std::int64_t d = 0; d < job.head_dim; d += width) {
                    largest = _mm512_max_ps(largest, _mm512_abs_ps(part(query, d, job.head_dim)));
                }
                const float most = _mm512_reduce_max_ps(largest);
                step[r] = most / 32512.0F;
                inverses[r] = most > 1e-30F ? 32512.0F / most : 0.0F;
            }
            for (int r = 0; r < rows; ++r) {
                const float* query = job.queries + (row + r) * job.head_dim;
                const __m512 inverse = _mm512_set1_ps(inverses[r]);
                for (std::int64_t d = 0; d < job.head_dim; d += scaled_dims) {
                    const auto whole = [&](std::int64_t i) {
                        return _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(
                            _mm512_mul_ps(part(query, i, job.head_dim), inverse)));
                    };
                    const __m512i both =
                        _mm512_inserti64x4(_mm512_castsi256_si512(whole(d)), whole(d + width), 1);
                    // To nearest, so that both digits are signed.
                    const __m512i upper =
                        _mm512_srai_epi16(_mm512_add_epi16(both, _mm512_set1_epi16(128)), 8);
                    _mm256_store_si256(reinterpret_cast<__m256i*>(high[r] + d),
                                       _mm512_cvtepi16_epi8(upper));
                    _mm256_store_si256(reinterpret_cast<__m256i*>(low[r] + d),
                                       _mm512_cvtepi16_epi8(both));
                    offset[r][d / scaled_dims] =
                        _mm512_reduce_add_epi32(_mm512_madd_epi16(both, _mm512_set1_epi16(-128)));
                }
            }
        }
        // 16 dimensions, zeros behind the last.
        static __m512 part(const float* query, std::int64_t d, std::int64_t dims) {
            if (d + width <= dims) return _mm512_loadu_ps(query + d);
            const std::uint32_t mask = d < dims ? (1U << (dims - d)) - 1U : 0U;
            return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), query + d);
        }

        alignas(64) std::int8_t high[extent(rows)][extent(most_dims)];
        alignas(64) std::int8_t low[extent(rows)][extent(most_dims)];
        // Keys are multiplied as key + 128, without a sign; this mends the sum of 32 dimensions.
        std::int32_t offset[extent(rows)][extent(most_dims / scaled_dims)];
        float step[extent(rows)];
    };

    template <int rows>
    struct Weights {
        Weights(const float (&w)[extent(rows)][extent(block_tokens)], std::int64_t count) {
            float inverses[extent(rows)];
            for (int r = 0; r < rows; ++r) {
                __m512 largest = _mm512_setzero_ps();
                for (std::int64_t t = 0; t < count; t += width) {
                    largest = _mm512_max_ps(largest, _mm512_load_ps(w[r] + t));
                }
                const float most = _mm512_reduce_max_ps(largest);
                step[r] = most / 65535.0F;
                inverses[r] = most > 1e-30F ? 65535.0F / most : 0.0F;
            }
            for (int r = 0; r < rows; ++r) {
                const __m512 inverse = _mm512_set1_ps(inverses[r]);
                for (std::int64_t t = 0; t < count; t += width) {
                    const __m512 scaled_weight = _mm512_mul_ps(_mm512_load_ps(w[r] + t), inverse);
                    const __m512i whole = _mm512_cvtps_epi32(scaled_weight);
                    _mm_store_si128(reinterpret_cast<__m128i*>(high[r] + t),
                                    _mm512_cvtepi32_epi8(_mm512_srli_epi32(whole, 8)));
                    _mm_store_si128(reinterpret_cast<__m128i*>(low[r] + t),
                                    _mm512_cvtepi32_epi8(whole));
                }
            }
        }
        alignas(64) std::int8_t high[extent(rows)][extent(block_tokens)];  // read as unsigned
        alignas(64) std::int8_t low[extent(rows)][extent(block_tokens)];
        float step[extent(rows)];
    };

    // Scores of vectors x 16 tokens from `token` on, to s[..][at].
    template <int rows, int vectors, bool alone>
    static void scores(const AttendPage& job, const Queries<rows>& q,
                       const AttentionPass<alone>& pass, std::int64_t token,
                       float (&s)[extent(rows)][extent(block_tokens)], std::int64_t at) {
        const std::int64_t row_bytes = job.page_tokens * interleave;
        const std::byte* keys = job.page.keys + token * interleave;
        FetchAhead<Simd, vectors * vector_bytes, alone> ahead(
            pass, job.next.keys + token * interleave, keys);
        const __m512i without_sign = _mm512_set1_epi32(-0x7F7F7F80);  // 0x80 in every byte
        __m512 sums[extent(rows)][extent(vectors)];
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) sums[r][v] = _mm512_setzero_ps();
        }
        for (std::int64_t d = 0; d < job.head_dim; d += scaled_dims) {
            __m512i high[extent(rows)][extent(vectors)];
            __m512i low[extent(rows)][extent(vectors)];
            for (int r = 0; r < rows; ++r) {
                for (int v = 0; v < vectors; ++v) {
                    high[r][v] = _mm512_setzero_si512();
                    low[r][v] = _mm512_set1_epi32(q.offset[r][d / scaled_dims]);
                }
            }
            const std::int64_t last =
                d + scaled_dims < job.head_dim ? d + scaled_dims : job.head_dim;
            for (std::int64_t i = d; i < last; i += interleave, keys += row_bytes) {
                ahead.step(row_bytes);
                for (int v = 0; v < vectors; ++v) {
                    const __m512i k =
                        _mm512_xor_si512(Simd::load_words(keys + v * vector_bytes), without_sign);
                    for (int r = 0; r < rows; ++r) {
                        high[r][v] = add_products(high[r][v], k, all_of(q.high[r] + i));
                        low[r][v] = add_products(low[r][v], k, all_of(q.low[r] + i));
                    }
                }
            }
            const std::int64_t scale = d / scaled_dims * job.page_tokens + token;
            fetch_scales<Simd, vectors * width>(job.next.key_scales + scale);
            for (int v = 0; v < vectors; ++v) {
                const __m512 by = Simd::load_bf16(job.page.key_scales + scale + v * width);
                for (int r = 0; r < rows; ++r) {
                    sums[r][v] = _mm512_fmadd_ps(by, joined(high[r][v], low[r][v]), sums[r][v]);
                }
            }
        }
        fetch_scales<Simd, vectors * width>(job.next.value_scales + token);
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                _mm512_store_ps(s[r] + at + v * width,
                                _mm512_mul_ps(_mm512_set1_ps(q.step[r]), sums[r][v]));
            }
        }
    }

    // 256 high + low: at most 64 x 65535 x 127, which 32 bits hold.
    static __m512 joined(__m512i high, __m512i low) {
        return _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low));
    }

    // As FloatProducts::accumulate, in whole words of four tokens: weights of others are zero, and
    // there is no int8 that zero times it is not zero.
    template <int rows, int vectors, bool alone>
    static void accumulate(const AttendPage& job, const Weights<rows>& w,
                           const AttentionPass<alone>& pass, std::int64_t dim, std::int64_t token,
                           std::int64_t first, std::int64_t last,
                           const float (&shrink)[extent(rows)]) {
        const std::int64_t row_bytes = job.value_stride * interleave;
        const std::int64_t begin = first / interleave * interleave;
        const std::int64_t offset = begin / interleave * row_bytes + dim * interleave;
        const std::byte* values = job.page.values + offset;
        FetchAhead<Simd, vectors * vector_bytes, alone> ahead(pass, job.next.values + offset,
                                                              values);
        __m512i high[extent(rows)][extent(vectors)];
        __m512i low[extent(rows)][extent(vectors)];
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) high[r][v] = low[r][v] = _mm512_setzero_si512();
        }
        for (std::int64_t t = begin; t < last; t += interleave, values += row_bytes) {
            ahead.step(row_bytes);
            __m512i x[extent(vectors)];
            for (int v = 0; v < vectors; ++v) x[v] = Simd::load_words(values + v * vector_bytes);
            for (int r = 0; r < rows; ++r) {
                const __m512i upper = all_of(w.high[r] + (t - token));
                const __m512i lower = all_of(w.low[r] + (t - token));
                for (int v = 0; v < vectors; ++v) {
                    high[r][v] = add_products(high[r][v], upper, x[v]);
                    low[r][v] = add_products(low[r][v], lower, x[v]);
                }
            }
        }
        float* state = job.state.values + pass.row * job.value_stride + dim;
        for (int r = 0; r < rows; ++r) {
            for (int v = 0; v < vectors; ++v) {
                float* to = state + r * job.value_stride + v * width;
                const __m512 before = _mm512_mul_ps(_mm512_loadu_ps(to), _mm512_set1_ps(shrink[r]));
                _mm512_storeu_ps(to, _mm512_fmadd_ps(joined(high[r][v], low[r][v]),
                                                     _mm512_set1_ps(w.step[r]), before));
            }
        }
    }
};

}  // namespace memside::engine
