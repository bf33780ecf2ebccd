// A score source out of a table, for tests.
#pragma once

#include <vector>

#include "kv/score_source.h"

namespace memside::kv::test {

// One stream: [steps][pages].
class FixedScores final : public ScoreSource {
  public:
    explicit FixedScores(std::vector<std::vector<float>> steps) : steps_(std::move(steps)) {}

    ScoreExtent extent() const override {
        return {1, 1, std::ssize(steps_), std::ssize(steps_.front()), 1};
    }
    std::unique_ptr<ScoreStream> open(std::int64_t, std::int64_t) const override {
        return std::make_unique<Stream>(steps_);
    }

  private:
    class Stream final : public ScoreStream {
      public:
        explicit Stream(const std::vector<std::vector<float>>& steps) : steps_(steps) {}
        std::span<const float> next() override { return steps_[at_++]; }

      private:
        const std::vector<std::vector<float>>& steps_;
        std::size_t at_ = 0;
    };

    std::vector<std::vector<float>> steps_;
};

}  // namespace memside::kv::test
