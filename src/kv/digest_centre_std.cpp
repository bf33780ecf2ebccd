// Mean and standard deviation (of the population: a page is all there is). The centre is the mean,
// not the middle of the box: an outlier moves the middle by half its distance, the mean by 1/tokens
// of it.
#include <cassert>
#include <cmath>

#include "kv/digest.h"

namespace memside::kv {
namespace {

class CentreStdDigest final : public Digest {
  public:
    CentreStdDigest(std::size_t channels, float coefficient)
        : mean_(channels), squares_(channels), coefficient_(coefficient) {}

    void append(std::span<const float> keys) override {
        assert(keys.size() % mean_.size() == 0);
        for (std::size_t at = 0; at < keys.size(); at += mean_.size()) {
            ++tokens_;
            const double share = 1.0 / static_cast<double>(tokens_);
            // Welford's update: the difference of large sums would cancel for keys far from zero.
            for (std::size_t i = 0; i < mean_.size(); ++i) {
                const double before = keys[at + i] - mean_[i];
                mean_[i] += before * share;
                squares_[i] += before * (keys[at + i] - mean_[i]);
            }
        }
    }

    void corners(std::span<float> low, std::span<float> high) const override {
        assert(tokens_ > 0 && low.size() == mean_.size() && high.size() == mean_.size());
        for (std::size_t i = 0; i < mean_.size(); ++i) {
            const double radius =
                coefficient_ * std::sqrt(squares_[i] / static_cast<double>(tokens_));
            low[i] = static_cast<float>(mean_[i] - radius);
            high[i] = static_cast<float>(mean_[i] + radius);
        }
    }

    void clear() override {
        std::fill(mean_.begin(), mean_.end(), 0.0);
        std::fill(squares_.begin(), squares_.end(), 0.0);
        tokens_ = 0;
    }
    std::int64_t tokens() const override { return tokens_; }

  private:
    std::vector<double> mean_;     // [channels]
    std::vector<double> squares_;  // [channels]: sum of squared deviations from the mean
    std::int64_t tokens_ = 0;
    double coefficient_;
};

}  // namespace

std::unique_ptr<Digest> make_centre_std_digest(std::int64_t channels, float coefficient) {
    return std::make_unique<CentreStdDigest>(static_cast<std::size_t>(channels), coefficient);
}

}  // namespace memside::kv
