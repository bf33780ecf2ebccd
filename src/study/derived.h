// Figures that are made of others: ratios to a named row, and means over rows. Declared in an
// experiment's YAML, computed here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "study/measure.h"
#include "study/spec.h"

namespace memside {

// Which points of a set are meant: every named setting has one of the given values.
class Selector {
  public:
    // `node`: a map of names to a value or a list of values.
    static Result<Selector> parse(const ConfigNode& node, const PointSet& set);
    // "policy=png-kv system=a100x2-pnm8"; empty: every point.
    static Result<Selector> parse(const std::string& text, const PointSet& set,
                                  const std::string& where);

    bool matches(const Point& point) const;
    // Indices of the points that match.
    std::vector<std::size_t> in(const PointSet& set) const;

  private:
    static Status check(const std::string& name, const PointSet& set, const std::string& where);
    struct Term {
        std::string name;
        std::vector<std::string> values;
    };
    std::vector<Term> terms_;
};

// One value per point; nothing where there is none.
using Column = std::vector<std::optional<double>>;

// A column that divides: by the same measure of a baseline row, or by another one of the same row.
struct Ratio {
    std::string name;
    std::string head;
    Measure of;
    std::optional<Measure> by;           // of the same row
    std::vector<std::size_t> baselines;  // per point, when `by` is not given
    bool lower_is_better = false;        // baseline / own: how many times less
};

// `to` names exactly one baseline row for every point, among those that agree in the settings
// `same`. bad_input otherwise.
Result<Ratio> read_ratio(const ConfigNode& node, const PointSet& set);

// Nothing where one of the two has no value or the divisor is 0.
Column ratio_column(const Ratio& ratio, const std::vector<SimulationResult>& results);

enum class MeanKind { arithmetic, geometric, harmonic, largest, smallest };

struct Mean {
    std::string name;
    std::string head;
    std::string of;  // a column
    MeanKind kind = MeanKind::arithmetic;
    std::vector<std::size_t> points;
};

Result<Mean> read_mean(const ConfigNode& node, const PointSet& set,
                       const std::vector<std::string>& columns);

// Over the points that have a value: how many, and the mean; nothing without any.
struct MeanValue {
    std::size_t count = 0;
    std::optional<double> value;
};
MeanValue mean_of(const Column& column, MeanKind kind, const std::vector<std::size_t>& points);
std::string_view mean_kind_name(MeanKind kind);

}  // namespace memside
