// Statistics of the keys of one KV head, as they lie in the cache, and keys drawn from them: a
// cache of any length that looks like the recorded one to whoever scores its pages.
//
// Drawn keys are normal with the recorded mean and covariance. Along tokens each principal axis is
// an AR(1) process of its own, whose coefficient gives the means of a page's keys the share of the
// axis's variance that they were recorded to have: what a page's box stands for depends on how far
// keys within a page differ, and on how far pages do. Not drawn: tails beyond the normal, order
// beyond neighbouring pages, the first tokens (sinks), and what positions do to keys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace memside::eval {

struct KeyStatistics {
    int dim = 0;
    std::int64_t tokens = 0;  // that they are of
    std::int64_t page_tokens = 0;
    std::vector<double> mean;        // [dim]
    std::vector<double> covariance;  // [dim][dim]
    std::vector<double> axes;        // [dim][dim], unit rows: principal axes
    std::vector<double> variance;    // [dim], along each, descending
    std::vector<double> page_share;  // [dim], of it the share that page means have
    // Mean over pages and channels of (max - min) / standard deviation of the channel: how wide
    // boxes are.
    double box_width = 0.0;
    // Standardised fourth moment, mean over channels: 3 of a normal distribution.
    double kurtosis = 0.0;

    // Number of axes that the variance is spread over: (sum)^2 / sum of squares.
    double effective_axes() const;
};

// keys: f32 [tokens][dim], at least two pages; the tokens of a last, partial page count for all but
// the page figures.
KeyStatistics measure_keys(std::span<const float> keys, int dim, std::int64_t page_tokens);

// The coefficient at which the mean of `page_tokens` values of an AR(1) process has `share` of
// their variance; 0 when independent values have more, at most 0.9999.
double coefficient_of_share(double share, std::int64_t page_tokens);

// Draws keys by statistics. Immutable: any number of threads may draw.
class KeyGenerator {
  public:
    explicit KeyGenerator(const KeyStatistics& statistics);

    // Tokens of a run, which is drawn as a whole and independent of other runs.
    static constexpr std::int64_t run_tokens = 4096;

    // keys: f32 [run_tokens][dim] of the run with that number.
    void draw(std::uint64_t seed, std::int64_t run, std::span<float> keys) const;

  private:
    std::size_t dim_;
    std::vector<float> mean_;   // [dim]
    std::vector<float> axes_;   // [dim][dim], times the deviation along each
    std::vector<float> keep_;   // [dim], AR(1) coefficients
    std::vector<float> renew_;  // [dim], sqrt(1 - keep^2)
};

}  // namespace memside::eval
