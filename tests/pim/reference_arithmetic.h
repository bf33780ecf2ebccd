// bf16 arithmetic of DRAM-PIM as docs/pim-function.md states it, slow and obvious: the tests of the
// functional model and of the kernels compare with it bit for bit.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "pim/bf16.h"

namespace memside::pim::reference {

inline float value_of(Bf16 bits) {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits.bits) * 65536U;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

// The sum of values [from, to), as the two halves' sums added.
inline float halves(const std::vector<float>& values, std::size_t from, std::size_t to) {
    if (to - from == 1) return values[from];
    const std::size_t middle = from + (to - from) / 2;
    const float left = halves(values, from, middle);
    const float right = halves(values, middle, to);
    return left + right;
}

// One column times one GBuf entry: 16 products, each rounded to float, added by halves.
inline float column_dot(const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> products;
    for (std::size_t i = 0; i < 16; ++i) {
        const float product = a[i] * b[i];
        products.push_back(product);
    }
    return halves(products, 0, 16);
}

// values[first, first + 16), with zeros beyond the end.
inline std::vector<float> column(const std::vector<float>& values, std::size_t first) {
    std::vector<float> out(16, 0.0F);
    for (std::size_t i = 0; i < 16 && first + i < values.size(); ++i) out[i] = values[first + i];
    return out;
}

// An accumulator that starts from `start` and takes `columns` columns from `first` on.
inline float accumulate(float start, const std::vector<float>& a, const std::vector<float>& b,
                        std::size_t first, std::size_t columns) {
    float sum = start;
    for (std::size_t c = 0; c < columns; ++c) {
        sum += column_dot(column(a, first + 16 * c), column(b, first + 16 * c));
    }
    return sum;
}

inline std::vector<float> values_of(const std::vector<Bf16>& values) {
    std::vector<float> out;
    for (const Bf16 value : values) out.push_back(value_of(value));
    return out;
}

inline std::vector<Bf16> random_values(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<Bf16> out(count);
    for (Bf16& value : out) value = to_bf16(normal(random));
    return out;
}

}  // namespace memside::pim::reference
