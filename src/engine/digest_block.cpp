#include "engine/digest_block.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/digest_kernel.h"
#include "engine/half.h"

namespace memside::engine {
namespace {

// The half that a finite magnitude, as the bits of an f32, is rounded to: away from zero or
// towards.
std::uint16_t half_magnitude(std::uint32_t bits, bool away) {
    constexpr std::uint32_t largest = 0x477FE000;   // 65504
    constexpr std::uint32_t smallest = 0x38800000;  // 2^-14, the smallest normal half
    if (bits >= largest) return 0x7BFF;
    if (bits >= smallest) {
        // Exponents differ by 112, fractions by 13 bits; a carry goes into the exponent, rightly.
        return static_cast<std::uint16_t>((bits - (112U << 23) + (away ? 0x1FFFU : 0U)) >> 13);
    }
    const float units = std::bit_cast<float>(bits) * 0x1p24F;  // exact
    const auto whole = static_cast<std::uint16_t>(units);
    const bool more = away && static_cast<float>(whole) < units;
    return static_cast<std::uint16_t>(whole + (more ? 1 : 0));
}

std::uint16_t half_outward(float value, bool up) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool negative = bits >> 31 != 0;
    const std::uint16_t magnitude = half_magnitude(bits & 0x7FFFFFFFU, up != negative);
    return static_cast<std::uint16_t>((negative ? 0x8000 : 0) | magnitude);
}

// The smallest scale whose 127 steps reach the largest magnitude.
float int8_scale(std::span<const float> low, std::span<const float> high) {
    float largest = 0.0F;
    for (const float value : low) largest = std::max(largest, std::abs(value));
    for (const float value : high) largest = std::max(largest, std::abs(value));
    auto scale = static_cast<float>(static_cast<double>(largest) / 127.0);
    while (127.0 * static_cast<double>(scale) < static_cast<double>(largest)) {
        scale = std::nextafter(scale, std::numeric_limits<float>::infinity());
    }
    return scale;
}

// Whole numbers below and above; the quotients are within +-127. Conversion truncates.
std::int8_t whole_below(double steps) {
    const auto whole = static_cast<std::int32_t>(steps);
    return static_cast<std::int8_t>(whole - (static_cast<double>(whole) > steps ? 1 : 0));
}
std::int8_t whole_above(double steps) {
    const auto whole = static_cast<std::int32_t>(steps);
    return static_cast<std::int8_t>(whole + (static_cast<double>(whole) < steps ? 1 : 0));
}

void store_int8(std::span<float> low, std::span<float> high, std::byte* block, std::int64_t lane) {
    const float scale = int8_scale(low, high);
    std::memcpy(block + lane * 4, &scale, sizeof scale);
    auto* to = reinterpret_cast<std::int8_t*>(block + 4 * digest_block_pages + lane);
    const auto wide = static_cast<double>(scale);
    // A scale of zero means corners of zero.
    const double divisor = scale == 0.0F ? 1.0 : wide;
    for (std::size_t d = 0; d < low.size(); ++d, to += 2 * digest_block_pages) {
        const std::int8_t below = whole_below(static_cast<double>(low[d]) / divisor);
        const std::int8_t above = whole_above(static_cast<double>(high[d]) / divisor);
        to[0] = below;
        to[digest_block_pages] = above;
        low[d] = static_cast<float>(wide * below);
        high[d] = static_cast<float>(wide * above);
    }
}

}  // namespace

std::uint16_t half_below(float value) {
    return half_outward(value, false);
}

std::uint16_t half_above(float value) {
    return half_outward(value, true);
}

void store_corners(kv::DigestType type, std::span<float> low, std::span<float> high,
                   std::byte* block, std::int64_t lane) {
    assert(low.size() == high.size() && lane < digest_block_pages);
    if (type == kv::DigestType::int8) return store_int8(low, high, block, lane);
    for (std::size_t d = 0; d < low.size(); ++d) {
        store_f16_channel(low[d], high[d], block, lane, d);
    }
}

void store_f16_channel(float& low, float& high, std::byte* block, std::int64_t lane,
                       std::size_t channel) {
    std::uint16_t* to = reinterpret_cast<std::uint16_t*>(block) +
                        2 * digest_block_pages * static_cast<std::int64_t>(channel) + lane;
    to[0] = half_below(low);
    to[digest_block_pages] = half_above(high);
    low = float_from_half(to[0]);
    high = float_from_half(to[digest_block_pages]);
}

void load_corners(kv::DigestType type, const std::byte* block, std::int64_t lane,
                  std::span<float> low, std::span<float> high) {
    if (type == kv::DigestType::f16) {
        const auto* from = reinterpret_cast<const std::uint16_t*>(block) + lane;
        for (std::size_t d = 0; d < low.size(); ++d, from += 2 * digest_block_pages) {
            low[d] = float_from_half(from[0]);
            high[d] = float_from_half(from[digest_block_pages]);
        }
        return;
    }
    float scale = 0.0F;
    std::memcpy(&scale, block + lane * 4, sizeof scale);
    const auto* from = reinterpret_cast<const std::int8_t*>(block + 4 * digest_block_pages + lane);
    const auto wide = static_cast<double>(scale);
    for (std::size_t d = 0; d < low.size(); ++d, from += 2 * digest_block_pages) {
        low[d] = static_cast<float>(wide * from[0]);
        high[d] = static_cast<float>(wide * from[digest_block_pages]);
    }
}

}  // namespace memside::engine
