// Search spaces with scores in closed form: where the best point is known.
#pragma once

#include <cmath>
#include <memory>

#include "tune/candidates.h"
#include "tune/random.h"

namespace memside::tune {

inline std::vector<Knob> numbered_knobs(const std::vector<std::size_t>& sizes) {
    std::vector<Knob> knobs;
    for (const std::size_t size : sizes) {
        Knob knob{fmt::format("k{}", knobs.size()), {}};
        for (std::size_t v = 0; v < size; ++v) knob.values.push_back(fmt::format("{}", 1U << v));
        knobs.push_back(std::move(knob));
    }
    return knobs;
}

// Every point is canonical and valid.
class PlainSpace : public SearchSpace {
  public:
    explicit PlainSpace(const std::vector<std::size_t>& sizes) : knobs_(numbered_knobs(sizes)) {}
    const std::vector<Knob>& knobs() const override { return knobs_; }
    Point canonical(const Point& point) const override { return point; }
    std::string why_invalid(const Point& /*point*/) const override { return ""; }
    std::vector<std::string> feature_names() const override { return {}; }
    std::vector<float> features(const Point& /*point*/) const override { return {}; }

  private:
    std::vector<Knob> knobs_;
};

// Like a tiled loop nest: the last value of knob 1 means what the last but one does, and two knobs
// together have a limit.
class TiledSpace : public PlainSpace {
  public:
    using PlainSpace::PlainSpace;
    Point canonical(const Point& point) const override {
        Point same = point;
        const auto last = static_cast<std::uint8_t>(knobs()[1].values.size() - 1);
        if (same[1] == last && last > 0) --same[1];
        return same;
    }
    std::string why_invalid(const Point& point) const override {
        return point[0] + point[1] > 6 ? "the tile has more than 64 elements" : "";
    }
    std::vector<std::string> feature_names() const override { return {"elements"}; }
    std::vector<float> features(const Point& point) const override {
        return {static_cast<float>(1U << (point[0] + point[1]))};
    }
};

inline std::shared_ptr<const Candidates> listed(std::shared_ptr<const SearchSpace> space) {
    return *Candidates::of(std::move(space));
}

// In (0, 1]: a product with a factor per knob, which falls away from the knob's best value. The
// best point, of score 1, has the value 2 (k0), 1 (k1), 0 (k2), 2, ...
inline double separable_score(const Candidates& candidates, CandidateId id) {
    const Point& point = candidates.point(id);
    double score = 1;
    for (std::size_t k = 0; k < point.size(); ++k) {
        const double best = static_cast<double>(2 - k % 3);
        score *= 1.0 / (1.0 + 0.15 * std::abs(point[k] - best));
    }
    return score;
}

// The same with a third of it up to chance, a number per point and per pair of neighbouring knobs.
inline double rugged_score(const Candidates& candidates, CandidateId id, std::uint64_t seed = 1) {
    const Point& point = candidates.point(id);
    double chance = Random({seed, id}).uniform();
    for (std::size_t k = 0; k + 1 < point.size(); ++k) {
        chance += 2 * Random({seed, 1000 + k, point[k], point[k + 1]}).uniform();
    }
    const double pairs = static_cast<double>(point.size() - 1);
    return separable_score(candidates, id) * (0.66 + 0.34 * chance / (1 + 2 * pairs));
}

}  // namespace memside::tune
