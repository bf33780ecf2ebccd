#include "kv/digest_storage.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "kv/half.h"

namespace memside::kv {
namespace {

static_assert(std::endian::native == std::endian::little, "stored digests are little-endian");

// The smallest scale whose 127 steps reach the largest magnitude. One scale serves both vectors:
// the corners of a page share their outlier channels.
float int8_scale(std::span<const float> low, std::span<const float> high) {
    double largest = 0.0;
    for (const float value : low) largest = std::max(largest, std::abs(static_cast<double>(value)));
    for (const float value : high) {
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    auto scale = static_cast<float>(largest / 127.0);
    while (127.0 * static_cast<double>(scale) < largest) {
        scale = std::nextafter(scale, std::numeric_limits<float>::infinity());
    }
    return scale;
}

// A quotient of two f32 that is no integer is further from one than f64 rounds, a product of an
// 8-bit integer and an f32 is exact in f64, and conversion to f32 never crosses an f32: so rounding
// the quotient outward makes the loaded value a bound.
std::int8_t int8_from_float(double value, double scale, RoundTo direction) {
    if (scale == 0.0) return 0;
    double steps = value / scale;
    steps = direction == RoundTo::down ? std::floor(steps)
            : direction == RoundTo::up ? std::ceil(steps)
                                       : std::nearbyint(steps);
    assert(steps >= -127.0 && steps <= 127.0);
    return static_cast<std::int8_t>(steps);
}

}  // namespace

std::size_t digest_bytes(std::int64_t channels, DigestType type) {
    const auto count = static_cast<std::size_t>(channels);
    return type == DigestType::f16 ? 2 * count * sizeof(std::uint16_t)
                                   : sizeof(float) + 2 * count * sizeof(std::int8_t);
}

void store_digest(DigestType type, DigestRounding rounding, std::span<const float> low,
                  std::span<const float> high, std::span<std::byte> bytes) {
    assert(low.size() == high.size());
    assert(bytes.size() == digest_bytes(static_cast<std::int64_t>(low.size()), type));
    const bool outward = rounding == DigestRounding::outward;
    const float scale = type == DigestType::int8 ? int8_scale(low, high) : 0.0F;
    std::byte* out = bytes.data();
    const auto put = [&out](const auto& value) {
        std::memcpy(out, &value, sizeof value);
        out += sizeof value;
    };
    if (type == DigestType::int8) put(scale);
    const auto put_vector = [&](std::span<const float> values, RoundTo direction) {
        for (const float value : values) {
            if (type == DigestType::f16) {
                put(half_from_float(value, direction));
            } else {
                put(int8_from_float(value, scale, direction));
            }
        }
    };
    put_vector(low, outward ? RoundTo::down : RoundTo::nearest);
    put_vector(high, outward ? RoundTo::up : RoundTo::nearest);
}

void load_digest(DigestType type, std::span<const std::byte> bytes, std::span<float> low,
                 std::span<float> high) {
    assert(low.size() == high.size());
    assert(bytes.size() == digest_bytes(static_cast<std::int64_t>(low.size()), type));
    const std::byte* in = bytes.data();
    const auto get = [&in](auto& value) {
        std::memcpy(&value, in, sizeof value);
        in += sizeof value;
    };
    float scale = 0.0F;
    if (type == DigestType::int8) get(scale);
    for (const std::span<float> values : {low, high}) {
        for (float& value : values) {
            if (type == DigestType::f16) {
                std::uint16_t bits = 0;
                get(bits);
                value = half_to_float(bits);
            } else {
                std::int8_t steps = 0;
                get(steps);
                value = static_cast<float>(static_cast<double>(scale) * steps);
            }
        }
    }
}

}  // namespace memside::kv
