#include "engine/sampler.h"

#include <cmath>

#include "kv/counter_random.h"

namespace memside::engine {
namespace {

// Larger logit first, equal ones by token.
bool before(const std::pair<float, std::int32_t>& a, const std::pair<float, std::int32_t>& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
}

}  // namespace

Status check_sampler(const SamplerOptions& options) {
    if (!(options.temperature >= 0.0 && options.temperature <= 100.0)) {
        return bad_input("--temperature",
                         fmt::format("{} is out of range; allowed: 0 to 100", options.temperature));
    }
    if (options.top_k < 0) {
        return bad_input("--top-k",
                         fmt::format("{} is out of range; allowed: from 0", options.top_k));
    }
    if (!(options.top_p > 0.0 && options.top_p <= 1.0)) {
        return bad_input(
            "--top-p", fmt::format("{} is out of range; allowed: above 0, up to 1", options.top_p));
    }
    return {};
}

std::int32_t largest_logit(std::span<const float> logits) {
    // The largest first, in a loop without a choice of index, which becomes vector code.
    float largest = -HUGE_VALF;
    for (const float logit : logits) largest = logit > largest ? logit : largest;
    const auto found = std::ranges::find(logits, largest);
    return found == logits.end() ? 0 : static_cast<std::int32_t>(found - logits.begin());
}

std::int32_t Sampler::next(std::span<const float> logits) {
    const std::uint64_t call = calls_++;
    if (options_.temperature == 0.0) return largest_logit(logits);
    candidates_.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
        // NaN has no place in an order, -infinity no probability.
        if (logits[i] > -HUGE_VALF) candidates_.emplace_back(logits[i], static_cast<int>(i));
    }
    if (candidates_.empty()) return largest_logit(logits);
    if (options_.top_k > 0 && options_.top_k < static_cast<std::int64_t>(candidates_.size())) {
        const auto end = candidates_.begin() + options_.top_k;
        std::partial_sort(candidates_.begin(), end, candidates_.end(), before);
        candidates_.erase(end, candidates_.end());
    } else {
        std::sort(candidates_.begin(), candidates_.end(), before);
    }
    const auto largest = static_cast<double>(candidates_.front().first);
    weights_.clear();
    double sum = 0.0;
    for (const auto& [logit, token] : candidates_) {
        weights_.push_back(std::exp((static_cast<double>(logit) - largest) / options_.temperature));
        sum += weights_.back();
    }
    // The fewest candidates that reach top_p: at least one.
    const double enough = options_.top_p * sum;
    std::size_t kept = 0;
    double kept_sum = 0.0;
    while (kept < weights_.size() && (kept == 0 || kept_sum < enough)) kept_sum += weights_[kept++];
    double draw = kv::uniform(kv::random_bits(kv::key_of({options_.seed}), call)) * kept_sum;
    std::size_t chosen = 0;
    while (chosen + 1 < kept && draw >= weights_[chosen]) draw -= weights_[chosen++];
    return candidates_[chosen].second;
}

}  // namespace memside::engine
