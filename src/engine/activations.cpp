#include "engine/activations.h"

#include <bit>
#include <cmath>
#include <limits>

namespace memside::engine {
namespace {

// The largest |x|; not finite when one of them is not. Without their signs the bits of floats are
// ordered as the values are, and those of NaN lie above all.
float largest_of(const float* x, std::int64_t count) {
    std::int32_t largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF);
    }
    return std::bit_cast<float>(largest);
}

// Values that share a scale.
constexpr std::int64_t per_scale = 32;

}  // namespace

void Activations::set(const float* values, std::int64_t rows, std::int64_t columns) {
    values_ = values;
    rows_ = rows;
    columns_ = columns;
}

void Activations::reserve_integers() {
    const auto padded = static_cast<std::size_t>(rows_ * chunk_count(columns_) * chunk_values);
    constexpr auto per_sum = static_cast<std::size_t>(sub_block);
    if (scales_.size() < padded / per_sum) {
        integers_.resize(padded * static_cast<std::size_t>(terms_));
        scales_.resize(padded / per_sum);
        sums_.resize(padded / per_sum);
    }
}

QuantizedRows Activations::integers() const {
    return {integers_.data(), scales_.data(), sums_.data(), chunk_count(columns_), terms_};
}

void Activations::quantize_row(std::int64_t row_index) {
    const float* x = row(row_index);
    const std::int64_t padded = chunk_count(columns_) * chunk_values;
    std::int8_t* high = integers_.data() + row_index * terms_ * padded;
    std::int8_t* low = terms_ == 2 ? high + padded : nullptr;
    float* scales = scales_.data() + row_index * padded / sub_block;
    float* sums = sums_.data() + row_index * padded / sub_block;
    const std::int32_t most = low == nullptr ? 127 : 127 * 256;
    for (std::int64_t at = 0; at < padded; at += per_scale) {
        const std::int64_t count = std::clamp<std::int64_t>(columns_ - at, 0, per_scale);
        const float largest = largest_of(x + std::min(at, columns_), count);
        // Overflowing weights give infinity and NaN. Their products are NaN then, not something.
        const bool finite = std::isfinite(largest);
        const float scale =
            finite ? largest / static_cast<float>(most) : std::numeric_limits<float>::quiet_NaN();
        // Below the normal numbers the inverse would be infinite.
        const bool zero = !(scale >= std::numeric_limits<float>::min());
        const float inverse = zero ? 0.0F : 1.0F / scale;
        for (std::int64_t half = 0; half < per_scale; half += sub_block) {
            std::int32_t sum = 0;
            for (std::int64_t i = half; i < half + sub_block; ++i) {
                // Adding and subtracting 1.5 x 2^23 rounds to the nearest integer, ties to even.
                constexpr float rounder = 12582912.0F;
                const float scaled = i < count && !zero ? x[at + i] * inverse : 0.0F;
                const std::int32_t n = std::clamp(
                    static_cast<std::int32_t>((scaled + rounder) - rounder), -most, most);
                sum += n;
                if (low == nullptr) {
                    high[at + i] = static_cast<std::int8_t>(n);
                } else {
                    // Rounded, so that the low byte is within -128 and 127.
                    const std::int32_t upper = (n + 128) >> 8;
                    high[at + i] = static_cast<std::int8_t>(upper);
                    low[at + i] = static_cast<std::int8_t>(n - 256 * upper);
                }
            }
            scales[(at + half) / sub_block] = scale;
            sums[(at + half) / sub_block] = scale * static_cast<float>(sum);
        }
    }
}

}  // namespace memside::engine
