// A score source out of a table, for tests.
#pragma once

#include <vector>

#include "kv/score_source.h"

namespace memside::kv::test {

// [steps][pages], the same for every request and layer.
class FixedScores final : public ScoreSource {
  public:
    explicit FixedScores(std::vector<std::vector<float>> steps, std::int64_t requests = 1,
                         std::int64_t layers = 1)
        : steps_(std::move(steps)), requests_(requests), layers_(layers) {}

    ScoreExtent extent() const override {
        return {requests_, layers_, std::ssize(steps_), std::ssize(steps_.front()), 1};
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
    std::int64_t requests_;
    std::int64_t layers_;
};

}  // namespace memside::kv::test
