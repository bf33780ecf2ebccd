#include "engine/elementwise.h"

#include <bit>
#include <cmath>

namespace memside::engine {
namespace {

// e^x to about 2 units in the last place, without a branch, so that loops of it become vector code.
inline float fast_exp(float x) {
    x = std::min(std::max(x, -87.0F), 88.0F);
    constexpr float rounder = 12582912.0F;  // 1.5 x 2^23: rounds to an integer when added
    const float shifted = x * 1.44269504F + rounder;
    const float n = shifted - rounder;
    // x - n ln 2, the logarithm in two parts so that the first product is exact.
    const float r = (x - n * 0.693145752F) - n * 1.42860677e-6F;
    float p = 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) << 23;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + exponent);
}

inline float silu(float x) {
    return x / (1.0F + fast_exp(-x));
}

// The tanh form of GELU: x (1 + tanh(u)) / 2, and (1 + tanh(u)) / 2 = 1 / (1 + e^-2u).
inline float gelu_tanh(float x) {
    constexpr float root = 0.797884561F;  // sqrt(2 / pi)
    const float u = root * (x + 0.044715F * x * x * x);
    return x / (1.0F + fast_exp(-2.0F * u));
}

}  // namespace

void rms_norm(const float* x, const float* weight, float epsilon, std::int64_t count, float* out) {
    // Several sums side by side: one would wait for itself at every addition.
    constexpr std::int64_t lanes = 16;
    float sums[lanes] = {};
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::int64_t l = 0; l < lanes; ++l) sums[l] += x[i + l] * x[i + l];
    }
    double total = 0.0;
    for (const float sum : sums) total += static_cast<double>(sum);
    for (; i < count; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    const double mean = total / static_cast<double>(count);
    const auto scale = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(epsilon)));
    for (i = 0; i < count; ++i) out[i] = x[i] * scale * weight[i];
}

void add_to(float* x, const float* y, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) x[i] += y[i];
}

void apply_gate(FfnGate kind, float* gate, const float* up, std::int64_t count) {
    if (kind == FfnGate::silu) {
        for (std::int64_t i = 0; i < count; ++i) gate[i] = silu(gate[i]) * up[i];
    } else {
        for (std::int64_t i = 0; i < count; ++i) gate[i] = gelu_tanh(gate[i]) * up[i];
    }
}

void soft_cap(float* x, float cap, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

}  // namespace memside::engine
