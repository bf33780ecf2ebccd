// Quantised weights of any type in the one form that the integer kernels compute with. Included by
// each variant's file, which compiles it for its own instructions: `Variant` keeps the copies
// apart.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/weight_type.h"

namespace memside::engine {

// Value i = scales[i / 16] x values[i] + offsets[i / 16].
struct WeightChunk {
    alignas(64) std::uint8_t values[256];
    alignas(64) float scales[16];
    alignas(64) float offsets[16];
};

template <typename Variant>
struct Unpack {
    static float half(const std::uint8_t* from) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, from, sizeof bits);
        return Variant::float_from_half(bits);
    }
    static std::uint32_t word(const std::uint8_t* from) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, from, sizeof bits);
        return bits;
    }

    // The 32 values of one block, whose scale and offset cover two sub-blocks.
    static void affine(WeightChunk& to, int block, float scale, float offset) {
        to.scales[2 * block] = to.scales[2 * block + 1] = scale;
        to.offsets[2 * block] = to.offsets[2 * block + 1] = offset;
    }
    static void nibbles(const std::uint8_t* packed, std::uint8_t* values) {
        for (int i = 0; i < 16; ++i) values[i] = packed[i] & 15;
        for (int i = 0; i < 16; ++i) values[16 + i] = packed[i] >> 4;
    }
    static void fifth_bits(std::uint32_t bits, std::uint8_t* values) {
        for (int i = 0; i < 32; ++i) {
            values[i] = static_cast<std::uint8_t>(values[i] | ((bits >> i & 1U) << 4));
        }
    }

    static void block_32(WeightType type, const std::uint8_t* from, int block, WeightChunk& to) {
        std::uint8_t* values = to.values + 32 * block;
        const float d = half(from);
        if (type == WeightType::q8_0) {
            for (int i = 0; i < 32; ++i) {
                values[i] = static_cast<std::uint8_t>(from[2 + i] ^ 0x80U);
            }
            affine(to, block, d, -128.0F * d);
        } else if (type == WeightType::q4_0) {
            nibbles(from + 2, values);
            affine(to, block, d, -8.0F * d);
        } else if (type == WeightType::q4_1) {
            nibbles(from + 4, values);
            affine(to, block, d, half(from + 2));
        } else if (type == WeightType::q5_0) {
            nibbles(from + 6, values);
            fifth_bits(word(from + 2), values);
            affine(to, block, d, -16.0F * d);
        } else {  // q5_1
            nibbles(from + 8, values);
            fifth_bits(word(from + 4), values);
            affine(to, block, d, half(from + 2));
        }
    }

    // Scales and minima of q4_k and q5_k, six bits each, two times eight of them in 12 bytes.
    static void packed_scales(const std::uint8_t* from, WeightChunk& to) {
        const float d = half(from);
        const float d_min = half(from + 2);
        const std::uint8_t* s = from + 4;
        for (int k = 0; k < 8; ++k) {
            const int scale = k < 4 ? s[k] & 63 : (s[k + 4] & 15) | (s[k - 4] >> 6 << 4);
            const int minimum = k < 4 ? s[k + 4] & 63 : (s[k + 4] >> 4) | (s[k] >> 6 << 4);
            affine(to, k, d * static_cast<float>(scale), -d_min * static_cast<float>(minimum));
        }
    }
    static void q4_k(const std::uint8_t* from, WeightChunk& to) {
        packed_scales(from, to);
        for (int g = 0; g < 4; ++g) {
            const std::uint8_t* q = from + 16 + 32 * g;
            for (int i = 0; i < 32; ++i) to.values[64 * g + i] = q[i] & 15;
            for (int i = 0; i < 32; ++i) to.values[64 * g + 32 + i] = q[i] >> 4;
        }
    }
    static void q5_k(const std::uint8_t* from, WeightChunk& to) {
        q4_k(from, to);
        const std::uint8_t* high = from + 16;
        for (int g = 0; g < 4; ++g) {
            const std::uint8_t* q = from + 48 + 32 * g;
            std::uint8_t* values = to.values + 64 * g;
            for (int i = 0; i < 32; ++i) {
                values[i] = static_cast<std::uint8_t>((q[i] & 15) | (high[i] >> (2 * g) & 1) << 4);
                values[32 + i] =
                    static_cast<std::uint8_t>((q[i] >> 4) | (high[i] >> (2 * g + 1) & 1) << 4);
            }
        }
    }
    static void q6_k(const std::uint8_t* from, WeightChunk& to) {
        for (int n = 0; n < 2; ++n) {
            const std::uint8_t* low = from + 64 * n;
            const std::uint8_t* high = from + 128 + 32 * n;
            std::uint8_t* values = to.values + 128 * n;
            for (int i = 0; i < 32; ++i) {
                const int h = high[i];
                values[i] = static_cast<std::uint8_t>((low[i] & 15) | (h & 3) << 4);
                values[32 + i] = static_cast<std::uint8_t>((low[32 + i] & 15) | (h >> 2 & 3) << 4);
                values[64 + i] = static_cast<std::uint8_t>((low[i] >> 4) | (h >> 4 & 3) << 4);
                values[96 + i] = static_cast<std::uint8_t>((low[32 + i] >> 4) | (h >> 6) << 4);
            }
        }
        const float d = half(from + 208);
        for (int s = 0; s < 16; ++s) {
            const float scale = d * static_cast<float>(static_cast<std::int8_t>(from[192 + s]));
            to.scales[s] = scale;
            to.offsets[s] = -32.0F * scale;
        }
    }

    // Chunk `index` of a row of `columns` values. A last chunk that the row fills only in part has
    // zero scales and offsets beyond.
    static void chunk(const Matrix& weight, const std::uint8_t* row, std::int64_t index,
                      WeightChunk& to) {
        switch (weight.type) {
            case WeightType::q4_k:
                return q4_k(row + index * 144, to);
            case WeightType::q5_k:
                return q5_k(row + index * 176, to);
            case WeightType::q6_k:
                return q6_k(row + index * 210, to);
            default:
                break;
        }
        const std::int64_t blocks = weight.columns / 32;
        const std::int64_t bytes = weight.bytes_per_row() / blocks;
        for (int b = 0; b < 8; ++b) {
            const std::int64_t block = index * 8 + b;
            if (block < blocks) {
                block_32(weight.type, row + block * bytes, b, to);
            } else {
                std::memset(to.values + 32 * b, 0, 32);
                affine(to, b, 0.0F, 0.0F);
            }
        }
    }
};

}  // namespace memside::engine
