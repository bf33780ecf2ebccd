// How unlike candidates are, and choosing among many those that are least alike.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tune/candidates.h"

namespace memside::tune {

enum class Distance {
    knobs,  // how many knobs differ
    steps,  // by how many places in their lists of values, summed over knobs
};

class Distances {
  public:
    Distances(const Candidates& candidates, Distance kind);

    int operator()(CandidateId a, CandidateId b) const {
        return kind_ == Distance::knobs ? differing(a, b) : apart(a, b);
    }

  private:
    int differing(CandidateId a, CandidateId b) const;
    int apart(CandidateId a, CandidateId b) const;

    Distance kind_;
    std::size_t knobs_;
    std::vector<std::array<std::uint64_t, 2>> packed_;  // a byte per knob
};

// Places in `pool` of `count` candidates (of all, if there are fewer), each the one that is
// farthest from its nearest among those chosen before it; of equally far ones that with the largest
// score, then the first. The first choice is the largest score.
std::vector<std::size_t> most_distinct(const Distances& distances,
                                       std::span<const CandidateId> pool,
                                       std::span<const float> scores, std::size_t count);

// `count` of `pool` (all, if there are fewer), in the pool's order of preference: those that are at
// least `apart` from each one kept before, then of the others as many as are missing.
std::vector<CandidateId> thinned(const Distances& distances, std::span<const CandidateId> pool,
                                 int apart, std::size_t count);

// `count` of `pool` (all, if there are fewer), each the one that adds most values of knobs that
// none chosen before it has; of equal ones the first. AutoTVM's diversity filter (submodular_pick
// of python/tvm/autotvm/tuner/model_based_tuner.py, scores 0).
std::vector<CandidateId> most_new_values(const Candidates& candidates,
                                         std::span<const CandidateId> pool, std::size_t count);

}  // namespace memside::tune
