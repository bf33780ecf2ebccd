#include "tune/candidates.h"

#include <cassert>

#include "base/number.h"

namespace memside::tune {
namespace {

Status check_knobs(const std::vector<Knob>& knobs) {
    std::size_t settings = 1;
    assert(!knobs.empty() && knobs.size() <= 16);
    for (const Knob& knob : knobs) {
        assert(!knob.values.empty() && knob.values.size() <= 255);
        settings *= knob.values.size();
        if (settings > Candidates::most_settings) {
            return Error{"the search space",
                         fmt::format("has more than {} settings", Candidates::most_settings),
                         Error::Kind::infeasible};
        }
    }
    return {};
}

// The numbers of a knob's values; their indices unless all are numbers.
std::vector<float> value_features(const Knob& knob) {
    std::vector<float> numbers;
    for (const std::string& value : knob.values) {
        const Result<double> number = parse_number(value, knob.name);
        if (!number.ok()) break;
        numbers.push_back(static_cast<float>(*number));
    }
    if (numbers.size() == knob.values.size()) return numbers;
    for (std::size_t i = 0; i < knob.values.size(); ++i) {
        numbers.resize(i);
        numbers.push_back(static_cast<float>(i));
    }
    return numbers;
}

FeatureTable feature_table(const SearchSpace& space, const std::vector<Point>& points) {
    const std::vector<Knob>& knobs = space.knobs();
    std::vector<std::vector<float>> by_value;
    for (const Knob& knob : knobs) by_value.push_back(value_features(knob));
    FeatureTable table;
    table.rows = points.size();
    table.columns = knobs.size() + space.feature_names().size();
    table.values.reserve(table.rows * table.columns);
    for (const Point& point : points) {
        for (std::size_t k = 0; k < knobs.size(); ++k) {
            table.values.push_back(by_value[k][point[k]]);
        }
        const std::vector<float> own = space.features(point);
        assert(own.size() + knobs.size() == table.columns);
        table.values.insert(table.values.end(), own.begin(), own.end());
    }
    return table;
}

}  // namespace

std::string point_text(const std::vector<Knob>& knobs, const Point& point) {
    std::string text;
    for (std::size_t k = 0; k < knobs.size(); ++k) {
        text += fmt::format("{}{}={}", k == 0 ? "" : " ", knobs[k].name, knobs[k].values[point[k]]);
    }
    return text;
}

Result<std::shared_ptr<const Candidates>> Candidates::of(std::shared_ptr<const SearchSpace> space) {
    const std::vector<Knob>& knobs = space->knobs();
    MEMSIDE_CHECK(check_knobs(knobs));
    std::shared_ptr<Candidates> made(new Candidates);
    made->space_ = space;
    made->strides_.resize(knobs.size());
    std::size_t settings = 1;
    for (std::size_t k = knobs.size(); k-- > 0;) {
        made->strides_[k] = settings;
        settings *= knobs[k].values.size();
    }
    // First the canonical settings, in order; then what stands for each of the others.
    made->ids_.assign(settings, -1);
    std::vector<std::size_t> canonical(settings);
    std::string reason;
    Point point(knobs.size());
    for (std::size_t code = 0; code < settings; ++code) {
        for (std::size_t k = 0; k < knobs.size(); ++k) {
            point[k] = static_cast<std::uint8_t>(code / made->strides_[k] % knobs[k].values.size());
        }
        canonical[code] = made->code(space->canonical(point));
        if (canonical[code] != code) continue;
        std::string why = space->why_invalid(point);
        if (why.empty()) {
            made->ids_[code] = static_cast<std::int32_t>(made->points_.size());
            made->points_.push_back(point);
        } else if (reason.empty()) {
            reason = fmt::format("{}: {}", point_text(knobs, point), why);
        }
    }
    for (std::size_t code = 0; code < settings; ++code) {
        assert(canonical[canonical[code]] == canonical[code]);
        made->ids_[code] = made->ids_[canonical[code]];
    }
    if (made->points_.empty()) {
        return Error{"the search space", fmt::format("has no valid point ({})", reason),
                     Error::Kind::infeasible};
    }
    made->features_ = feature_table(*space, made->points_);
    return std::shared_ptr<const Candidates>(std::move(made));
}

std::size_t Candidates::code(const Point& point) const {
    std::size_t code = 0;
    for (std::size_t k = 0; k < point.size(); ++k) code += point[k] * strides_[k];
    return code;
}

std::optional<CandidateId> Candidates::find(const Point& point) const {
    const std::int32_t id = ids_[code(point)];
    return id < 0 ? std::nullopt : std::optional(static_cast<CandidateId>(id));
}

std::optional<CandidateId> Candidates::with(CandidateId id, std::size_t knob,
                                            std::size_t value) const {
    const Point& from = points_[id];
    const std::size_t other = code(from) - from[knob] * strides_[knob] + value * strides_[knob];
    const std::int32_t found = ids_[other];
    return found < 0 ? std::nullopt : std::optional(static_cast<CandidateId>(found));
}

CandidateId Candidates::mutate(CandidateId id, Random& random) const {
    const std::vector<Knob>& all = knobs();
    for (int draw = 0; draw < 256; ++draw) {
        const std::size_t knob = random.below(all.size());
        const std::size_t value = random.below(all[knob].values.size());
        const std::optional<CandidateId> found = with(id, knob, value);
        if (found && *found != id) return *found;
    }
    return id;
}

}  // namespace memside::tune
