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
        : box_(make_minmax_digest(channels, 1.0F)), coefficient_(coefficient) {}

    void append(std::span<const float> keys) override {
        // The centre moves while the page grows and takes every deviation with it, so the keys of
        // the open page are kept; a sum of deviations cannot be updated.
        keys_.insert(keys_.end(), keys.begin(), keys.end());
        box_->append(keys);
    }

    void corners(std::span<float> low, std::span<float> high) const override {
        box_->corners(low, high);
        const std::size_t channels = low.size();
        std::vector<double> deviation(channels, 0.0);
        for (std::size_t i = 0; i < channels; ++i) low[i] = 0.5F * low[i] + 0.5F * high[i];
        for (std::size_t at = 0; at < keys_.size(); at += channels) {
            for (std::size_t i = 0; i < channels; ++i) {
                deviation[i] += std::abs(static_cast<double>(low[i]) - keys_[at + i]);
            }
        }
        const double scale = static_cast<double>(coefficient_) / static_cast<double>(tokens());
        for (std::size_t i = 0; i < channels; ++i) {
            const float centre = low[i];
            const auto radius = static_cast<float>(scale * deviation[i]);
            low[i] = centre - radius;
            high[i] = centre + radius;
        }
    }

    void clear() override {
        keys_.clear();
        box_->clear();
    }
    std::int64_t tokens() const override { return box_->tokens(); }

  private:
    std::unique_ptr<Digest> box_;
    std::vector<float> keys_;  // [tokens x channels] of the open page
    float coefficient_;
};

}  // namespace

std::unique_ptr<Digest> make_centre_mad_digest(std::int64_t channels, float coefficient) {
    return std::make_unique<CentreMadDigest>(channels, coefficient);
}

}  // namespace memside::kv
