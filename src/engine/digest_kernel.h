// Scores of digests, 16 pages at a time: what a selection reads memory for.
//
// A block is 16 pages of one KV head, dimension-major, so that a vector holds one dimension of 16
// pages and scores need no sum across lanes:
//   f16   f16 [head_dim][low, high][16]
//   int8  f32 scale [16], int8 [head_dim][low, high][16]; value = scale x integer
// padded to a cache line. Low and high are the corners that kv/digest.h gives a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kv/layout.h"

namespace memside::engine {

inline constexpr std::int64_t digest_block_pages = 16;

// Bytes of a block, a multiple of 64.
constexpr std::int64_t digest_block_bytes(std::int64_t head_dim, kv::DigestType type) {
    return type == kv::DigestType::f16 ? 4 * digest_block_pages * head_dim
                                       : (4 + 2 * head_dim + 3) / 4 * 4 * digest_block_pages;
}

struct ScoreDigests {
    const std::byte* block = nullptr;
    // A block that will be scored soon, fetched into the cache meanwhile; `block` itself if none.
    const std::byte* ahead = nullptr;
    int head_dim = 0;
    // f32 [rows][head_dim]: the queries with negative values, and with positive ones, set to zero.
    const float* positive = nullptr;
    const float* negative = nullptr;
    int rows = 0;
    // score = sum_i positive_i x high_i + negative_i x low_i, which is kv::page_score of one query
    // and the mean of them for the mean parts of several; f32 [rows][score_stride]. A row is summed
    // in an order that depends on head_dim, rows and its number alone, never on the block, and
    // every rounding keeps order: larger corners of f16 never give a smaller score. With int8 that
    // holds of equal scales only; digest_rounding() bounds the rest.
    float* scores = nullptr;
    std::int64_t score_stride = 0;
};

struct DigestKernel {
    std::string_view name;
    bool (*runs_here)();
    void (*score_f16)(const ScoreDigests& job);
    void (*score_int8)(const ScoreDigests& job);

    void score(kv::DigestType type, const ScoreDigests& job) const {
        (type == kv::DigestType::f16 ? score_f16 : score_int8)(job);
    }
};

// The first that runs here is in use; the reference comes last and runs everywhere.
std::span<const DigestKernel> digest_kernels();
const DigestKernel& digest_kernel();

// One file each.
void score_f16_digests_scalar(const ScoreDigests& job);
void score_f16_digests_avx2(const ScoreDigests& job);
void score_f16_digests_avx512(const ScoreDigests& job);
void score_int8_digests_scalar(const ScoreDigests& job);
void score_int8_digests_avx2(const ScoreDigests& job);
void score_int8_digests_avx512(const ScoreDigests& job);

}  // namespace memside::engine
