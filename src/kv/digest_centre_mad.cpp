// ArkVale's cuboid-mean: c = (max + min) / 2, r = mean |c - k|, stored as (c - r, c + r). Not a
// bound, but closer to what the keys of a page really score (ArkVale, NeurIPS 2024).
#include <cassert>
#include <cmath>

#include "kv/digest.h"

namespace memside::kv {
namespace {

class CentreMadDigest final : public Digest {
  public:
    CentreMadDigest(std::int64_t channels, float coefficient)
        : box_(make_minmax_digest(channels, 1.0F)),
          low_(static_cast<std::size_t>(channels)),
          high_(low_.size()),
          centre_(low_.size()),
          deviation_(low_.size()),
          coefficient_(coefficient) {}

    void append(std::span<const float> keys) override {
        if (keys.empty()) return;
        const std::size_t channels = centre_.size();
        const std::size_t before = keys_.size();
        // A centre that moves takes every deviation with it, so the keys of the open page are kept.
        keys_.insert(keys_.end(), keys.begin(), keys.end());
        box_->append(keys);
        box_->corners(low_, high_);
        for (std::size_t i = 0; i < channels; ++i) {
            const float centre = 0.5F * low_[i] + 0.5F * high_[i];
            // It moves with a new extreme only, which most tokens of a page are not.
            const bool moved = before == 0 || centre != centre_[i];
            if (moved) deviation_[i] = 0.0;
            centre_[i] = centre;
            for (std::size_t at = moved ? 0 : before; at < keys_.size(); at += channels) {
                deviation_[i] += std::abs(static_cast<double>(centre) - keys_[at + i]);
            }
        }
    }

    void corners(std::span<float> low, std::span<float> high) const override {
        assert(tokens() > 0 && low.size() == centre_.size() && high.size() == centre_.size());
        const double scale = static_cast<double>(coefficient_) / static_cast<double>(tokens());
        for (std::size_t i = 0; i < low.size(); ++i) {
            const auto radius = static_cast<float>(scale * deviation_[i]);
            low[i] = centre_[i] - radius;
            high[i] = centre_[i] + radius;
        }
    }

    void clear() override {
        keys_.clear();
        box_->clear();
    }
    std::int64_t tokens() const override { return box_->tokens(); }

  private:
    std::unique_ptr<Digest> box_;
    std::vector<float> low_;  // of the box, [channels]
    std::vector<float> high_;
    std::vector<float> centre_;
    std::vector<double> deviation_;  // summed, in the order of the tokens
    std::vector<float> keys_;        // [tokens x channels] of the open page
    float coefficient_;
};

}  // namespace

std::unique_ptr<Digest> make_centre_mad_digest(std::int64_t channels, float coefficient) {
    return std::make_unique<CentreMadDigest>(channels, coefficient);
}

}  // namespace memside::kv
