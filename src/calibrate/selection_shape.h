// What selection is measured with: digests of 4 MiB in f16, twice that of a layer at 64K tokens of
// a model with 8 KV heads of dimension 64 in pages of 64.
#pragma once

#include <cstdint>

namespace memside::calibrate::SelectionShape {

inline constexpr int kv_heads = 8;
inline constexpr int head_dim = 64;
inline constexpr std::int64_t pages = 2048;
inline constexpr std::int64_t budget_pages = 64;
inline constexpr std::int64_t pool_pages = 128;

}  // namespace memside::calibrate::SelectionShape
