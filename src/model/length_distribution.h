// Lengths of the prompts that long-context benchmarks consist of, where only four figures are
// published: mean, standard deviation, smallest and largest.
//
// A beta distribution between the smallest and the largest, with the mean and the deviation, is
// what they allow without a further parameter (method of moments). That the lengths are beta
// distributed is assumed; the four figures are not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace memside {

struct LengthStatistics {
    std::string_view name;
    double mean_tokens = 0.0;
    double deviation_tokens = 0.0;
    std::int64_t smallest_tokens = 0;
    std::int64_t largest_tokens = 0;
    std::int64_t window_tokens = 0;  // of the models that it was run on
    std::string_view source;
};

// qmsum, musique, multifieldqa, loogle-sd.
std::span<const LengthStatistics> length_statistics();

// bad_input at `where` when no benchmark has that name.
Result<LengthStatistics> find_length_statistics(std::string_view name, const std::string& where);

class LengthDistribution {
  public:
    // smallest < mean < largest, and a deviation above 0 and below that of a length that is always
    // one of the two.
    explicit LengthDistribution(const LengthStatistics& statistics);

    // The length that a share u of all lengths do not exceed, 0 <= u < 1, in whole tokens. Uniform
    // random u give random lengths.
    std::int64_t quantile(double u) const;

    double alpha() const { return alpha_; }
    double beta() const { return beta_; }

  private:
    double smallest_;
    double range_;
    double alpha_;
    double beta_;
};

// The regularised incomplete beta function I_x(a, b), 0 <= x <= 1, a and b above 0: the share of a
// beta distribution that is at most x. Within 1e-12.
double incomplete_beta(double a, double b, double x);

}  // namespace memside
