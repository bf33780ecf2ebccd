// What a search chooses among: knobs with a few named values each. Several settings can mean the
// same program, because a knob is clamped to the layer; one of them, the canonical one, stands for
// all. How the points of a space are listed and sampled: candidates.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace memside::tune {

struct Knob {
    std::string name;
    // In an order where neighbours are alike, such as "1", "2", "4": coordinate descent steps along
    // it. From 1 to 255 values.
    std::vector<std::string> values;
};

// The index of a value for each knob.
using Point = std::vector<std::uint8_t>;

class SearchSpace {
  public:
    virtual ~SearchSpace() = default;

    // From 1 to 16 knobs; the same ones during the space's life.
    virtual const std::vector<Knob>& knobs() const = 0;

    // The point that stands for `point` and for all that mean the same program:
    // canonical(canonical(p)) == canonical(p).
    virtual Point canonical(const Point& point) const = 0;

    // Why a canonical point is no program of this space; empty for a valid one.
    virtual std::string why_invalid(const Point& point) const = 0;

    // What is known of a valid canonical point without measuring it, beside its knob values: loop
    // lengths, bytes, reuse. One finite number per name.
    virtual std::vector<std::string> feature_names() const = 0;
    virtual std::vector<float> features(const Point& point) const = 0;
};

// "rows=2 chunk=4": what databases and reports call a point.
std::string point_text(const std::vector<Knob>& knobs, const Point& point);

}  // namespace memside::tune
