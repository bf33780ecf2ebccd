// Where page scores come from: for every (request, layer) a stream of steps, each an array of one
// score per page. Sources: recorded from a real model, or synthetic with stated statistics.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace memside::kv {

// The scores of one (request, layer), step after step.
class ScoreStream {
  public:
    virtual ~ScoreStream() = default;

    // The scores of the next step, f32 [pages], valid until the next call; pages grow with the
    // context. Must not be called beyond the source's steps.
    virtual std::span<const float> next() = 0;
};

inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// How much a source can deliver.
struct ScoreExtent {
    std::int64_t requests = unlimited;
    std::int64_t layers = unlimited;
    std::int64_t steps = unlimited;
    std::int64_t context_tokens = 0;  // at step 0
    std::int64_t page_tokens = 0;
};

class ScoreSource {
  public:
    virtual ~ScoreSource() = default;

    virtual ScoreExtent extent() const = 0;

    // A stream from step 0. Streams are independent: the scores of one do not depend on which
    // others are open, and several threads may open and read streams of one source.
    virtual std::unique_ptr<ScoreStream> open(std::int64_t request, std::int64_t layer) const = 0;
};

}  // namespace memside::kv
