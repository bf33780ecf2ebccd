// The operations between matrix products, on rows of f32.
#pragma once

#include <cstdint>

#include "engine/decoder_config.h"

namespace memside::engine {

// out = x / sqrt(mean(x^2) + epsilon) x weight, over `count` values. `out` may be `x`.
void rms_norm(const float* x, const float* weight, float epsilon, std::int64_t count, float* out);

// x += y.
void add_to(float* x, const float* y, std::int64_t count);

// gate = activation(gate) x up.
void apply_gate(FfnGate kind, float* gate, const float* up, std::int64_t count);

// x = cap tanh(x / cap).
void soft_cap(float* x, float cap, std::int64_t count);

}  // namespace memside::engine
