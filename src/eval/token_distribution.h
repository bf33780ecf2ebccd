// Two distributions over the next token, compared: how far an answer under a selecting policy is
// from the dense one.
#pragma once

#include <cstdint>
#include <span>

namespace memside::eval {

// KL(p || q) in nats of the softmax of two rows of logits, f32 [vocab] each, summed in f64 in a
// fixed order; exactly 0 for equal rows, never below it.
double kl_divergence(std::span<const float> p_logits, std::span<const float> q_logits);

// The token of the largest logit, of equal ones the lowest.
std::int64_t most_likely(std::span<const float> logits);

// -log of the probability of a token, in nats.
double surprise(std::span<const float> logits, std::int64_t token);

}  // namespace memside::eval
