// The distinct valid points of a search space, each with a number: what explorers propose,
// databases keep and replays look up. Made once; any number of threads may read it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tune/cost_model.h"
#include "tune/random.h"
#include "tune/search_space.h"

namespace memside::tune {

using CandidateId = std::uint32_t;

class Candidates {
  public:
    // Settings, valid or not, that a space may have: listing them stays a matter of seconds.
    static constexpr std::size_t most_settings = std::size_t{1} << 22;

    // infeasible when the space has more than most_settings, or no valid point (with the reason of
    // the first invalid one).
    static Result<std::shared_ptr<const Candidates>> of(std::shared_ptr<const SearchSpace> space);

    std::size_t size() const { return points_.size(); }
    const std::vector<Knob>& knobs() const { return space_->knobs(); }
    const SearchSpace& space() const { return *space_; }

    // In the order of their knob values, the first knob being the most significant.
    const Point& point(CandidateId id) const { return points_[id]; }
    std::string text(CandidateId id) const { return point_text(knobs(), points_[id]); }

    // The candidate that stands for a point; nothing when its program is not valid.
    std::optional<CandidateId> find(const Point& point) const;
    // The same for a candidate with one knob set to another value.
    std::optional<CandidateId> with(CandidateId id, std::size_t knob, std::size_t value) const;

    // Another candidate that is one change of one knob away, each knob as likely as any other and
    // each of its values too; `id` itself when 256 draws find none.
    CandidateId mutate(CandidateId id, Random& random) const;

    // A row per candidate: knob values (their numbers where all values of the knob are numbers,
    // else their indices), then the space's features.
    const FeatureTable& features() const { return features_; }

  private:
    Candidates() = default;
    std::size_t code(const Point& point) const;

    std::shared_ptr<const SearchSpace> space_;
    std::vector<Point> points_;
    std::vector<std::size_t> strides_;  // of a knob in a setting's code
    std::vector<std::int32_t> ids_;     // by a setting's code; -1: not valid
    FeatureTable features_;
};

}  // namespace memside::tune
