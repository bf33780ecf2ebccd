#include "eval/token_distribution.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace memside::eval {
namespace {

struct Normaliser {
    double largest = 0.0;
    double log_sum = 0.0;  // of e^(logit - largest)
};

Normaliser normaliser(std::span<const float> logits) {
    Normaliser result;
    result.largest = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const float logit : logits) sum += std::exp(double{logit} - result.largest);
    result.log_sum = std::log(sum);
    return result;
}

}  // namespace

double kl_divergence(std::span<const float> p_logits, std::span<const float> q_logits) {
    assert(p_logits.size() == q_logits.size() && !p_logits.empty());
    const Normaliser p = normaliser(p_logits);
    const Normaliser q = normaliser(q_logits);
    double sum = 0.0;
    for (std::size_t i = 0; i < p_logits.size(); ++i) {
        const double log_p = double{p_logits[i]} - p.largest - p.log_sum;
        const double log_q = double{q_logits[i]} - q.largest - q.log_sum;
        sum += std::exp(log_p) * (log_p - log_q);
    }
    // Of nearly equal rows rounding may leave a sum just below zero.
    return std::max(sum, 0.0);
}

std::int64_t most_likely(std::span<const float> logits) {
    return std::ranges::max_element(logits) - logits.begin();
}

double surprise(std::span<const float> logits, std::int64_t token) {
    const Normaliser of_all = normaliser(logits);
    return of_all.largest + of_all.log_sum - double{logits[static_cast<std::size_t>(token)]};
}

}  // namespace memside::eval
