#include "engine/rope.h"

#include <cmath>
#include <numbers>

namespace memside::engine {
namespace {

// The pair that makes `rotations` turns over the original context (YaRN, arXiv 2309.00071).
double pair_of_rotations(const RopeConfig& config, int dims, double rotations) {
    return dims * std::log(config.scaling.original_context / (2.0 * std::numbers::pi * rotations)) /
           (2.0 * std::log(config.base));
}

}  // namespace

Rope::Rope(const RopeConfig& config, int dims, RopePairs pairs, std::span<const float> factors)
    : frequencies_(static_cast<std::size_t>(dims / 2)), kind_(pairs) {
    const RopeScaling& scaling = config.scaling;
    const bool yarn = scaling.kind == RopeScaling::Kind::yarn;
    const double low =
        yarn ? std::max(0.0, std::floor(pair_of_rotations(config, dims, scaling.beta_fast))) : 0.0;
    const double high =
        yarn ? std::min(dims - 1.0, std::ceil(pair_of_rotations(config, dims, scaling.beta_slow)))
             : 0.0;
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
        const double pair = static_cast<double>(i);
        double frequency = std::pow(config.base, -2.0 * pair / dims);
        if (!factors.empty()) frequency /= static_cast<double>(factors[i]);
        if (scaling.kind == RopeScaling::Kind::linear) frequency /= scaling.factor;
        if (yarn) {
            // Fast pairs keep their frequency, slow ones are stretched by the factor.
            const double slow = std::clamp((pair - low) / std::max(0.001, high - low), 0.0, 1.0);
            frequency *= slow / scaling.factor + (1.0 - slow);
        }
        frequencies_[i] = frequency;
    }
    if (yarn) magnitude_ = scaling.attention_factor * (1.0 + 0.1 * std::log(scaling.factor));
}

void Rope::angles(std::int64_t position, float* cosines, float* sines) const {
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
        const double angle = static_cast<double>(position) * frequencies_[i];
        cosines[i] = static_cast<float>(magnitude_ * std::cos(angle));
        sines[i] = static_cast<float>(magnitude_ * std::sin(angle));
    }
}

void Rope::rotate(float* head, const float* cosines, const float* sines) const {
    const int count = pairs();
    const bool neighbours = kind_ == RopePairs::neighbours;
    for (int i = 0; i < count; ++i) {
        float& a = head[neighbours ? 2 * i : i];
        float& b = head[neighbours ? 2 * i + 1 : i + count];
        const float x = a;
        const float y = b;
        a = x * cosines[i] - y * sines[i];
        b = x * sines[i] + y * cosines[i];
    }
}

}  // namespace memside::engine
