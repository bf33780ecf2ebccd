// Corners of pages in and out of the blocks of digest_kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kv/layout.h"

namespace memside::engine {

// The largest half that is not above `value`, and the smallest that is not below. As
// kv::half_from_float, but beyond +-65504 they stay there: an infinite corner times a query of zero
// would be no number, and no key of a working model is that large.
std::uint16_t half_below(float value);
std::uint16_t half_above(float value);

// Writes the corners of page `lane` of a block, rounded outward as kv::store_digest rounds them: a
// bound stays a bound. low and high, f32 [head_dim] each, become what was stored.
void store_corners(kv::DigestType type, std::span<float> low, std::span<float> high,
                   std::byte* block, std::int64_t lane);

// The same for one channel of f16.
void store_f16_channel(float& low, float& high, std::byte* block, std::int64_t lane,
                       std::size_t channel);

// Reads them back.
void load_corners(kv::DigestType type, const std::byte* block, std::int64_t lane,
                  std::span<float> low, std::span<float> high);

}  // namespace memside::engine
