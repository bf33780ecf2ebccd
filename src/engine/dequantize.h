// Weights back to f32, block by block as the format says: slow, obvious, and what the fast kernels
// are tested against. Formats: the ggml project's block types.
#pragma once

#include <cstdint>

#include "engine/weight_type.h"

namespace memside::engine {

// Writes `count` values, a multiple of the type's block, of the blocks at `from`. The bytes need
// no alignment.
void dequantize(WeightType type, const std::uint8_t* from, std::int64_t count, float* to);

// One block each, f32 [256].
void dequantize_q4_k(const std::uint8_t* block, float* to);
void dequantize_q5_k(const std::uint8_t* block, float* to);
void dequantize_q6_k(const std::uint8_t* block, float* to);

// The 6-bit scale and minimum of sub-block `index` (0 to 7) in the 12 bytes that q4_k and q5_k pack
// them into.
struct ScaleAndMinimum {
    int scale;
    int minimum;
};
ScaleAndMinimum unpack_scale(const std::uint8_t* packed, int index);

}  // namespace memside::engine
