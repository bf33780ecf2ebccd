// Rotary position embedding: each pair of values of a head turns by position x frequency.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoder_config.h"

namespace memside::engine {

class Rope {
  public:
    // `factors`: f32 [dims / 2], by which the frequencies are divided before scaling, or empty.
    Rope(const RopeConfig& config, int dims, RopePairs pairs, std::span<const float> factors);

    // Cosines and sines of one position, f32 [dims / 2] each. Angles are formed in f64: in f32 they
    // would be wrong in the fourth digit at a position of a million.
    void angles(std::int64_t position, float* cosines, float* sines) const;

    // Turns the first `dims` values of a head in place.
    void rotate(float* head, const float* cosines, const float* sines) const;

    int pairs() const { return static_cast<int>(frequencies_.size()); }

  private:
    std::vector<double> frequencies_;  // radians per token, [dims / 2]
    double magnitude_ = 1.0;           // yarn: multiplies cosines and sines
    RopePairs kind_;
};

}  // namespace memside::engine
