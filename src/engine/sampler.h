// Which token comes next, out of the logits.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"

namespace memside::engine {

struct SamplerOptions {
    double temperature = 0.0;  // 0: the largest logit, whatever the other options say
    std::int64_t top_k = 0;    // only the k largest; 0: all
    double top_p = 1.0;        // only the largest whose probabilities add up to p
    std::uint64_t seed = 1;
};

// bad_input that names the option: temperature 0 to 100, top_k from 0, top_p above 0 to 1.
Status check_sampler(const SamplerOptions& options);

// The index of the largest logit, the first one of several. NaN is below all.
std::int32_t largest_logit(std::span<const float> logits);

class Sampler {
  public:
    explicit Sampler(const SamplerOptions& options) : options_(options) {}

    // The next token. The n-th call with the same options and logits gives the same token.
    std::int32_t next(std::span<const float> logits);

  private:
    SamplerOptions options_;
    std::uint64_t calls_ = 0;
    std::vector<std::pair<float, std::int32_t>> candidates_;  // logit and token
    std::vector<double> weights_;
};

}  // namespace memside::engine
