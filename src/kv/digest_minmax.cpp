// The true bounding box: the smallest and the largest value of each channel.
#include <cassert>

#include "kv/digest.h"

namespace memside::kv {
namespace {

class MinMaxDigest final : public Digest {
  public:
    explicit MinMaxDigest(std::size_t channels) : low_(channels), high_(channels) {}

    void append(std::span<const float> keys) override {
        assert(keys.size() % low_.size() == 0);
        for (std::size_t at = 0; at < keys.size(); at += low_.size()) {
            const auto key = keys.subspan(at, low_.size());
            for (std::size_t i = 0; i < low_.size(); ++i) {
                low_[i] = tokens_ == 0 ? key[i] : std::min(low_[i], key[i]);
                high_[i] = tokens_ == 0 ? key[i] : std::max(high_[i], key[i]);
            }
            ++tokens_;
        }
    }

    void corners(std::span<float> low, std::span<float> high) const override {
        assert(tokens_ > 0 && low.size() == low_.size() && high.size() == high_.size());
        std::copy(low_.begin(), low_.end(), low.begin());
        std::copy(high_.begin(), high_.end(), high.begin());
    }

    void clear() override { tokens_ = 0; }
    std::int64_t tokens() const override { return tokens_; }

  private:
    std::vector<float> low_;   // [channels]
    std::vector<float> high_;  // [channels]
    std::int64_t tokens_ = 0;
};

}  // namespace

std::unique_ptr<Digest> make_minmax_digest(std::int64_t channels,
                                           [[maybe_unused]] float coefficient) {
    assert(coefficient == 1.0F);
    return std::make_unique<MinMaxDigest>(static_cast<std::size_t>(channels));
}

}  // namespace memside::kv
