#include "kv/scores_random_keys.h"

#include <cassert>

#include "kv/counter_random.h"
#include "kv/digest.h"

namespace memside::kv {
namespace {

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

class RandomKeyStream final : public ScoreStream {
  public:
    RandomKeyStream(const RandomKeysShape& shape, std::uint64_t key)
        : shape_(shape),
          key_(key),
          channels_(std::int64_t{shape.kv_heads} * shape.head_dim),
          digest_(digest_variant(shape.digest).make(channels_, 1.0F)) {}

    std::span<const float> next() override {
        grow(shape_.context_tokens + step_);
        draw_queries();
        const auto pages = static_cast<std::size_t>(page_count(tokens_, shape_.page_tokens));
        scores_.resize(pages);
        for (std::size_t page = 0; page < pages; ++page) {
            const float* low = low_.data() + page * size(channels_);
            const float* high = high_.data() + page * size(channels_);
            float score = 0.0F;
            for (std::size_t c = 0; c < size(channels_); ++c) {
                score += positive_[c] * high[c] - negative_[c] * low[c];
            }
            scores_[page] = score;
        }
        ++step_;
        return scores_;
    }

  private:
    // Takes in tokens up to `tokens`, page by page.
    void grow(std::int64_t tokens) {
        while (tokens_ < tokens) {
            const std::int64_t page = tokens_ / shape_.page_tokens;
            const std::int64_t last = std::min(tokens, (page + 1) * shape_.page_tokens);
            if (tokens_ % shape_.page_tokens == 0) digest_->clear();
            keys_.resize(size((last - tokens_) * channels_));
            for (std::size_t i = 0; i < keys_.size(); ++i) {
                keys_[i] = key_value(static_cast<std::uint64_t>(tokens_ * channels_) + i);
            }
            digest_->append(keys_);
            low_.resize(size((page + 1) * channels_));
            high_.resize(low_.size());
            digest_->corners(std::span(low_).last(size(channels_)),
                             std::span(high_).last(size(channels_)));
            tokens_ = last;
        }
    }

    // Sixteen bits of a draw make a value: a sign and ten bits of magnitude.
    float key_value(std::uint64_t index) const {
        const std::uint64_t bits = random_bits(key_, index / 4) >> (16 * (index % 4));
        const auto magnitude = static_cast<float>(bits & 1023);
        const float sign = (bits & 1024) != 0 ? -1.0F : 1.0F;
        if (shape_.value_type == ValueType::int8) return sign * 0.5F * magnitude / 1023.0F;
        return sign * (0.25F + 0.25F * magnitude / 1024.0F);
    }

    // The score of a box is linear in the positive and in the negative parts of a query: the mean
    // over query heads is the score of their means.
    void draw_queries() {
        positive_.assign(size(channels_), 0.0F);
        negative_.assign(size(channels_), 0.0F);
        const std::uint64_t key = key_of({key_, 1, static_cast<std::uint64_t>(step_)});
        for (std::size_t i = 0; i < size(channels_ * shape_.group); ++i) {
            const float value = normal_pair(random_bits(key, i)).sum;
            (value > 0.0F ? positive_ : negative_)[i % size(channels_)] +=
                value > 0.0F ? value : -value;
        }
    }

    const RandomKeysShape shape_;
    std::uint64_t key_;
    std::int64_t channels_;
    std::unique_ptr<Digest> digest_;  // of the page that is being written
    std::int64_t tokens_ = 0;
    std::int64_t step_ = 0;
    std::vector<float> keys_;
    std::vector<float> low_;       // f32 [pages][channels]
    std::vector<float> high_;      // likewise
    std::vector<float> positive_;  // summed over the group, f32 [channels]
    std::vector<float> negative_;  // likewise, magnitudes
    std::vector<float> scores_;    // f32 [pages]
};

class RandomKeyScores final : public ScoreSource {
  public:
    RandomKeyScores(const RandomKeysShape& shape, std::uint64_t seed)
        : shape_(shape), seed_(seed) {}

    ScoreExtent extent() const override {
        return {unlimited, unlimited, unlimited, shape_.context_tokens, shape_.page_tokens};
    }

    std::unique_ptr<ScoreStream> open(std::int64_t request, std::int64_t layer) const override {
        return std::make_unique<RandomKeyStream>(shape_,
                                                 key_of({seed_, static_cast<std::uint64_t>(request),
                                                         static_cast<std::uint64_t>(layer)}));
    }

  private:
    RandomKeysShape shape_;
    std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<ScoreSource> make_random_key_scores(const RandomKeysShape& shape,
                                                    std::uint64_t seed) {
    assert(shape.context_tokens > 0 && shape.page_tokens > 0 && shape.head_dim > 0);
    return std::make_unique<RandomKeyScores>(shape, seed);
}

}  // namespace memside::kv
