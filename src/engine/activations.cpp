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

// Rounds `count` values, at most per_scale, to integers of one scale each. Behind them are zeros.
void round_to_integers(const float* x, std::int64_t count, std::int8_t* q, float* scales,
                       float* sums) {
    const float largest = largest_of(x, count);
    // Overflowing weights give infinity and NaN. Their products are NaN then, not something.
    const bool finite = std::isfinite(largest);
    const float scale = finite ? largest / 127.0F : std::numeric_limits<float>::quiet_NaN();
    // Below the normal numbers the inverse would be infinite.
    const bool zero = !(scale >= std::numeric_limits<float>::min());
    const float inverse = zero ? 0.0F : 1.0F / scale;
    for (std::int64_t half = 0; half < per_scale; half += sub_block) {
        std::int32_t sum = 0;
        for (std::int64_t i = half; i < half + sub_block; ++i) {
            // Adding and subtracting 1.5 x 2^23 rounds to the nearest integer, ties to even.
            constexpr float rounder = 12582912.0F;
            const float scaled = i < count && !zero ? x[i] * inverse : 0.0F;
            const auto integer = static_cast<std::int32_t>((scaled + rounder) - rounder);
            q[i] = static_cast<std::int8_t>(std::clamp(integer, -127, 127));
            sum += q[i];
        }
        scales[half / sub_block] = scale;
        sums[half / sub_block] = scale * static_cast<float>(sum);
    }
}

}  // namespace

void Activations::set(const float* values, std::int64_t rows, std::int64_t columns) {
    values_ = values;
    rows_ = rows;
    columns_ = columns;
}

void Activations::reserve_integers() {
    const auto padded =
        static_cast<std::size_t>(rows_ * terms_ * chunk_count(columns_) * chunk_values);
    constexpr auto per_sum = static_cast<std::size_t>(sub_block);
    if (integers_.size() < padded) {
        integers_.resize(padded);
        scales_.resize(padded / per_sum);
        sums_.resize(padded / per_sum);
    }
}

QuantizedRows Activations::integers() const {
    return {integers_.data(),      scales_.data(), sums_.data(),
            chunk_count(columns_), terms_,         rows_ * terms_};
}

void Activations::quantize_row(std::int64_t row_index) {
    const float* x = row(row_index);
    const std::int64_t padded = chunk_count(columns_) * chunk_values;
    for (std::int64_t at = 0; at < padded; at += per_scale) {
        const std::int64_t count = std::clamp<std::int64_t>(columns_ - at, 0, per_scale);
        float rest[per_scale];
        std::copy_n(x + std::min(at, columns_), count, rest);
        for (std::int64_t term = 0; term < terms_; ++term) {
            const std::int64_t to = (row_index * terms_ + term) * padded + at;
            std::int8_t* q = integers_.data() + to;
            float* scales = scales_.data() + to / sub_block;
            round_to_integers(rest, count, q, scales, sums_.data() + to / sub_block);
            for (std::int64_t i = 0; i < count; ++i) {
                rest[i] -= scales[0] * static_cast<float>(q[i]);
            }
        }
    }
}

}  // namespace memside::engine
