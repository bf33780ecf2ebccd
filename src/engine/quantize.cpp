#include "engine/quantize.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

#include "engine/half.h"

namespace memside::engine {
namespace {

constexpr std::size_t block = 32;

template <typename T>
void put(char*& at, T value) {
    std::memcpy(at, &value, sizeof value);
    at += sizeof value;
}

// Room for `bytes` more at the end of `out`.
char* grow(std::string& out, std::size_t bytes) {
    const std::size_t before = out.size();
    out.resize(before + bytes);
    return out.data() + before;
}

void append_f32(std::span<const float> values, std::string& out) {
    std::memcpy(grow(out, values.size_bytes()), values.data(), values.size_bytes());
}

void append_f16(std::span<const float> values, std::string& out) {
    char* at = grow(out, values.size() * 2);
    for (const float value : values) put(at, half_from_float(value));
}

// x = d q with 8-bit q and d such that the largest is 127.
void append_q8_0(std::span<const float> values, std::string& out) {
    char* at = grow(out, values.size() / block * 34);
    for (; !values.empty(); values = values.subspan(block)) {
        float largest = 0.0F;
        for (std::size_t i = 0; i < block; ++i) largest = std::max(largest, std::fabs(values[i]));
        const float scale = largest / 127.0F;
        const float inverse = scale == 0.0F ? 0.0F : 1.0F / scale;
        put(at, half_from_float(scale));
        for (std::size_t i = 0; i < block; ++i) {
            put(at, static_cast<std::int8_t>(std::round(values[i] * inverse)));
        }
    }
}

// x = d (q - 8) with 4-bit q and d such that the value of the largest magnitude has q = 0. The low
// nibbles hold the first half of the block.
void append_q4_0(std::span<const float> values, std::string& out) {
    char* at = grow(out, values.size() / block * 18);
    for (; !values.empty(); values = values.subspan(block)) {
        float extreme = 0.0F;
        for (std::size_t i = 0; i < block; ++i) {
            if (std::fabs(values[i]) > std::fabs(extreme)) extreme = values[i];
        }
        const float scale = extreme / -8.0F;
        const float inverse = scale == 0.0F ? 0.0F : 1.0F / scale;
        put(at, half_from_float(scale));
        const auto level = [&](std::size_t i) {
            return static_cast<unsigned>(std::min(15.0F, values[i] * inverse + 8.5F));
        };
        for (std::size_t i = 0; i < block / 2; ++i) {
            put(at, static_cast<std::uint8_t>(level(i) | level(i + block / 2) << 4));
        }
    }
}

constexpr std::array formats{WeightFormat{"f32", 0, 0, 1, 4, append_f32},
                             WeightFormat{"f16", 1, 1, 1, 2, append_f16},
                             WeightFormat{"q8_0", 8, 7, 32, 34, append_q8_0},
                             WeightFormat{"q4_0", 2, 2, 32, 18, append_q4_0}};

}  // namespace

std::span<const WeightFormat> weight_formats() {
    return formats;
}

const WeightFormat& weight_format(std::string_view name) {
    for (const WeightFormat& format : formats) {
        if (format.name == name) return format;
    }
    assert(false && "a name that weight_formats() does not have");
    return formats.front();
}

}  // namespace memside::engine
