// How a digest is stored: the rounding of its two vectors to f16 or int8, and the bytes.
//   f16   low f16 [channels], high f16 [channels]
//   int8  scale f32, low int8 [channels], high int8 [channels]; value = scale x integer
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kv/layout.h"

namespace memside::kv {

enum class DigestRounding {
    nearest,
    outward,  // low rounds down, high rounds up: a bound stays a bound
};

// Bytes of the digest of one page of one KV head, the scale included, which request_bytes() of
// layout.h leaves out.
std::size_t digest_bytes(std::int64_t channels, DigestType type);

// Writes the corners, finite f32 [channels] each, to `bytes` of digest_bytes() size, little-endian.
void store_digest(DigestType type, DigestRounding rounding, std::span<const float> low,
                  std::span<const float> high, std::span<std::byte> bytes);

// Reads them back to f32 [channels] each.
void load_digest(DigestType type, std::span<const std::byte> bytes, std::span<float> low,
                 std::span<float> high);

}  // namespace memside::kv
