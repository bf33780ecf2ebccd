// The middle of the bounding box, with the largest deviation from it as the radius. At coefficient
// 1 this is the bounding box again (up to rounding, which is why it does not claim to be a bound);
// below 1 it is the box shrunk towards its middle.
#include <cassert>

#include "kv/digest.h"

namespace memside::kv {
namespace {

class CentreMaxDigest final : public Digest {
  public:
    CentreMaxDigest(std::int64_t channels, float coefficient)
        : box_(make_minmax_digest(channels, 1.0F)), coefficient_(coefficient) {}

    void append(std::span<const float> keys) override { box_->append(keys); }

    void corners(std::span<float> low, std::span<float> high) const override {
        box_->corners(low, high);
        for (std::size_t i = 0; i < low.size(); ++i) {
            // Halves are added, not halved sums: the sum of two large values may overflow.
            const float centre = 0.5F * low[i] + 0.5F * high[i];
            const float radius = coefficient_ * (0.5F * high[i] - 0.5F * low[i]);
            low[i] = centre - radius;
            high[i] = centre + radius;
        }
    }

    void clear() override { box_->clear(); }
    std::int64_t tokens() const override { return box_->tokens(); }

  private:
    std::unique_ptr<Digest> box_;
    float coefficient_;
};

}  // namespace

std::unique_ptr<Digest> make_centre_max_digest(std::int64_t channels, float coefficient) {
    return std::make_unique<CentreMaxDigest>(channels, coefficient);
}

}  // namespace memside::kv
