// One VPU tile on data: 128 multipliers and the trees behind them.
//
// Arithmetic. A product of two FP16 values is exact in FP32. The adder tree adds neighbours (0 + 1,
// 2 + 3, ...) level by level in FP32; what is wider than a tile comes in slices of 128 lanes whose
// sums are added in FP32 in order. Lanes without data hold +0. FP32, because the paper states
// "FP16" for the units and FP16 sums of a head's 128 products would lose what separates two keys.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "pnm/functional_half.h"

namespace memside::pnm {

inline constexpr std::size_t tile_lanes = 128;  // Kim et al., PACT 2025, arXiv 2511.00321
inline constexpr int tree_levels = 7;
inline constexpr double float_roundoff = 0x1p-24;

using Lanes = std::array<float, tile_lanes>;

// The root of the adder tree.
float tree_sum(const Lanes& lanes);
// The root of the comparator trees.
float tree_max(const Lanes& lanes);
float tree_min(const Lanes& lanes);

// Sum of products of two vectors of equal length.
float dot(std::span<const Half> a, std::span<const Half> b);

// score = sum_i max(q_i x min_i, q_i x max_i): two lanes per channel, and the first level of the
// tree takes the larger. All three of equal length.
float digest_score(std::span<const Half> query, std::span<const Half> min,
                   std::span<const Half> max);

}  // namespace memside::pnm
