// Weights into AVX-512 registers. Quantised ones come 256 values at a time, in the form of
// matmul.h: integers from 0 to 255, a scale and an offset per 16 values. For the AVX-512 files of
// matmul only.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "engine/weight_type.h"

namespace memside::engine::avx512 {

struct Chunk {
    __m512i values[4];  // 64 bytes each
    __m512 scales;      // of sub-block l in lane l
    __m512 offsets;
};

template <typename T>
inline T read(const std::uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

inline __m128i load_16(const std::uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
inline __m256i load_32(const std::uint8_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
inline __m512i bytes(int value) {
    return _mm512_set1_epi8(static_cast<char>(value));
}

// One f16 from each of eight blocks, each for the two sub-blocks of its block.
template <int block_bytes>
inline __m512 halves_of_blocks(const std::uint8_t* from) {
    // Inserted one by one: a vector loaded from eight small stores would wait for them to leave.
    const auto bits = [from](int b) { return read<std::int16_t>(from + b * block_bytes); };
    const __m256 eight = _mm256_cvtph_ps(
        _mm_set_epi16(bits(7), bits(6), bits(5), bits(4), bits(3), bits(2), bits(1), bits(0)));
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(eight));
}

// The nibbles of two blocks, 16 bytes each: low nibbles of the first, its high ones, then the same
// of the second.
inline __m512i nibbles_of_two(const std::uint8_t* first, const std::uint8_t* second) {
    const __m256i both = _mm256_set_m128i(load_16(second), load_16(first));
    const __m512i doubled = _mm512_permutexvar_epi64(_mm512_set_epi64(3, 2, 3, 2, 1, 0, 1, 0),
                                                     _mm512_castsi256_si512(both));
    const __m512i shifts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
    return _mm512_and_si512(_mm512_srlv_epi64(doubled, shifts), bytes(15));
}

struct Q8_0 {
    static constexpr int block_bytes = 34;
    static constexpr int chunk_bytes = 8 * block_bytes;
    static Chunk load(const std::uint8_t* from) {
        Chunk w;
        for (int c = 0; c < 4; ++c) {
            const std::uint8_t* two = from + 2 * c * block_bytes;
            const __m512i q = _mm512_inserti64x4(_mm512_castsi256_si512(load_32(two + 2)),
                                                 load_32(two + block_bytes + 2), 1);
            w.values[c] = _mm512_xor_si512(q, bytes(0x80));
        }
        w.scales = halves_of_blocks<block_bytes>(from);
        w.offsets = _mm512_mul_ps(w.scales, _mm512_set1_ps(-128.0F));
        return w;
    }
};

// q4_0, q4_1, q5_0, q5_1: the block begins with a scale, then perhaps a minimum, then perhaps the
// fifth bits of its values, then the nibbles.
template <bool minimum, bool fifth_bit>
struct Nibbles {
    static constexpr int bits_at = minimum ? 4 : 2;
    static constexpr int nibbles_at = bits_at + (fifth_bit ? 4 : 0);
    static constexpr int block_bytes = nibbles_at + 16;
    static constexpr int chunk_bytes = 8 * block_bytes;
    static Chunk load(const std::uint8_t* from) {
        Chunk w;
        for (int c = 0; c < 4; ++c) {
            const std::uint8_t* first = from + 2 * c * block_bytes;
            const std::uint8_t* second = first + block_bytes;
            w.values[c] = nibbles_of_two(first + nibbles_at, second + nibbles_at);
            if constexpr (fifth_bit) {
                const std::uint64_t high = std::uint64_t{read<std::uint32_t>(second + bits_at)}
                                           << 32;
                const __mmask64 set = high | read<std::uint32_t>(first + bits_at);
                w.values[c] = _mm512_mask_add_epi8(w.values[c], set, w.values[c], bytes(16));
            }
        }
        w.scales = halves_of_blocks<block_bytes>(from);
        if constexpr (minimum) {
            w.offsets = halves_of_blocks<block_bytes>(from + 2);
        } else {
            w.offsets = _mm512_mul_ps(w.scales, _mm512_set1_ps(fifth_bit ? -16.0F : -8.0F));
        }
        return w;
    }
};
using Q4_0 = Nibbles<false, false>;
using Q4_1 = Nibbles<true, false>;
using Q5_0 = Nibbles<false, true>;
using Q5_1 = Nibbles<true, true>;

// Eight bytes as 16 floats, each byte twice.
inline __m512 bytes_twice(std::uint64_t eight) {
    const __m128i b = _mm_cvtsi64_si128(static_cast<std::int64_t>(eight));
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_unpacklo_epi8(b, b)));
}

inline __m512 half_everywhere(const std::uint8_t* from) {
    return _mm512_set1_ps(_cvtsh_ss(read<std::uint16_t>(from)));
}

// The scales and minima of q4_k and q5_k: 6 bits each, four to a word (see unpack_scale()).
inline void packed_scales(const std::uint8_t* from, Chunk& w) {
    const auto a = read<std::uint32_t>(from + 4);
    const auto b = read<std::uint32_t>(from + 8);
    const auto c = read<std::uint32_t>(from + 12);
    const std::uint32_t high_scales = (c & 0x0F0F0F0FU) | ((a >> 6 & 0x03030303U) << 4);
    const std::uint32_t high_minima = (c >> 4 & 0x0F0F0F0FU) | ((b >> 6 & 0x03030303U) << 4);
    const std::uint64_t scales = std::uint64_t{high_scales} << 32 | (a & 0x3F3F3F3FU);
    const std::uint64_t minima = std::uint64_t{high_minima} << 32 | (b & 0x3F3F3F3FU);
    w.scales = _mm512_mul_ps(half_everywhere(from), bytes_twice(scales));
    w.offsets =
        _mm512_fnmadd_ps(half_everywhere(from + 2), bytes_twice(minima), _mm512_setzero_ps());
}

// 32 bytes in both halves, the upper half shifted by `high` bits and the lower by `low`.
inline __m512i both_shifted(const std::uint8_t* from, int low, int high) {
    const __m512i shifts = _mm512_set_epi64(high, high, high, high, low, low, low, low);
    return _mm512_srlv_epi64(_mm512_broadcast_i64x4(load_32(from)), shifts);
}

struct Q4_K {
    static constexpr int chunk_bytes = 144;
    static Chunk load(const std::uint8_t* from) {
        Chunk w;
        for (int c = 0; c < 4; ++c) {
            w.values[c] = _mm512_and_si512(both_shifted(from + 16 + 32 * c, 0, 4), bytes(15));
        }
        packed_scales(from, w);
        return w;
    }
};

struct Q5_K {
    static constexpr int chunk_bytes = 176;
    static Chunk load(const std::uint8_t* from) {
        Chunk w;
        for (int c = 0; c < 4; ++c) {
            const __m512i low = _mm512_and_si512(both_shifted(from + 48 + 32 * c, 0, 4), bytes(15));
            const __m512i fifth = both_shifted(from + 16, 2 * c, 2 * c + 1);
            const __m512i high = _mm512_slli_epi16(_mm512_and_si512(fifth, bytes(1)), 4);
            w.values[c] = _mm512_or_si512(low, high);
        }
        packed_scales(from, w);
        return w;
    }
};

struct Q6_K {
    static constexpr int chunk_bytes = 210;
    static Chunk load(const std::uint8_t* from) {
        Chunk w;
        for (int c = 0; c < 4; ++c) {
            const int half = c / 2;
            const __m512i q = _mm512_loadu_si512(from + 64 * half);
            const __m512i low =
                _mm512_and_si512(c % 2 == 0 ? q : _mm512_srli_epi16(q, 4), bytes(15));
            const int shift = c % 2 == 0 ? 0 : 4;
            const __m512i two = both_shifted(from + 128 + 32 * half, shift, shift + 2);
            const __m512i high = _mm512_slli_epi16(_mm512_and_si512(two, bytes(3)), 4);
            w.values[c] = _mm512_or_si512(low, high);
        }
        w.scales = _mm512_mul_ps(half_everywhere(from + 208),
                                 _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_16(from + 192))));
        w.offsets = _mm512_mul_ps(w.scales, _mm512_set1_ps(-32.0F));
        return w;
    }
};

// Weights [index, index + 16) of a row that is not quantised, those of `lanes`, as f32.
template <WeightType type>
inline __m512 load_floats(const std::uint8_t* row, std::int64_t index, __mmask16 lanes) {
    if constexpr (type == WeightType::f32) {
        return _mm512_maskz_loadu_ps(lanes, row + 4 * index);
    } else {
        const __m256i bits = _mm256_maskz_loadu_epi16(lanes, row + 2 * index);
        if constexpr (type == WeightType::f16) return _mm512_cvtph_ps(bits);
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
    }
}

}  // namespace memside::engine::avx512
