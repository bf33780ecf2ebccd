#include "tune/truth.h"

#include <cmath>
#include <map>

#include "base/number.h"
#include "base/text.h"

namespace memside::tune {
namespace {

constexpr std::string_view feature_prefix = "feature_";

// (GCC 12 warns of the comparison of two vectors of bytes.)
std::string key_of(const Point& point) {
    return {point.begin(), point.end()};
}

// The space that a table spans.
class TableSpace : public SearchSpace {
  public:
    std::vector<Knob> all_knobs;
    std::vector<std::string> names;
    std::map<std::string, std::vector<float>> rows;

    const std::vector<Knob>& knobs() const override { return all_knobs; }
    Point canonical(const Point& point) const override { return point; }
    std::string why_invalid(const Point& point) const override {
        return rows.contains(key_of(point)) ? "" : "the table does not have it";
    }
    std::vector<std::string> feature_names() const override { return names; }
    std::vector<float> features(const Point& point) const override {
        return rows.at(key_of(point));
    }
};

struct Columns {
    std::vector<std::size_t> knobs;
    std::vector<std::size_t> features;
    std::size_t time = 0;
};

Result<Columns> sort_columns(const TruthTable& table, const std::string& file) {
    Columns columns;
    bool timed = false;
    for (std::size_t c = 0; c < table.heads.size(); ++c) {
        const std::string& head = table.heads[c];
        if (head == "time_ns") {
            columns.time = c;
            timed = true;
        } else if (head.starts_with(feature_prefix)) {
            columns.features.push_back(c);
        } else if (head != "error" && head != "spread") {
            columns.knobs.push_back(c);
        }
    }
    if (!timed) return bad_input(file, "has no column 'time_ns'");
    if (columns.knobs.empty() || columns.knobs.size() > 16) {
        return bad_input(
            file, fmt::format("has {} columns for knobs; allowed: 1 to 16", columns.knobs.size()));
    }
    return columns;
}

// The values of a column, each once, in their order.
Result<Knob> read_knob(const TruthTable& table, std::size_t column, const std::string& file) {
    Knob knob{table.heads[column], {}};
    std::vector<std::pair<double, std::string>> numbers;
    for (const std::vector<std::string>& row : table.rows) {
        const std::string& value = row[column];
        if (std::find(knob.values.begin(), knob.values.end(), value) != knob.values.end()) continue;
        knob.values.push_back(value);
        if (knob.values.size() > 255) {
            return bad_input(
                file, fmt::format("the knob {} has more than 255 values", in_quotes(knob.name)));
        }
        if (const Result<double> number = parse_number(value, knob.name); number.ok()) {
            numbers.emplace_back(*number, value);
        }
    }
    if (numbers.size() == knob.values.size()) {
        std::stable_sort(numbers.begin(), numbers.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i < numbers.size(); ++i) knob.values[i] = numbers[i].second;
    }
    return knob;
}

std::uint8_t value_index(const Knob& knob, const std::string& value) {
    const auto found = std::find(knob.values.begin(), knob.values.end(), value);
    return static_cast<std::uint8_t>(found - knob.values.begin());
}

Result<double> read_time(const std::string& cell, const std::string& where) {
    if (cell.empty()) return 0.0;
    MEMSIDE_TRY(const double time_ns, parse_number(cell, where));
    if (time_ns < 0) return bad_input(where, "is negative; allowed: a time in ns, or nothing");
    return time_ns;
}

}  // namespace

Result<Truth> make_truth(std::string name, const std::string& file, const TruthTable& table) {
    MEMSIDE_TRY(const Columns columns, sort_columns(table, file));
    auto space = std::make_shared<TableSpace>();
    for (const std::size_t c : columns.knobs) {
        MEMSIDE_TRY(Knob knob, read_knob(table, c, file));
        space->all_knobs.push_back(std::move(knob));
    }
    if (table.rows.empty()) return bad_input(file, "has no row; allowed: a row per point");
    for (const std::size_t c : columns.features) {
        space->names.push_back(table.heads[c].substr(feature_prefix.size()));
    }
    std::map<std::string, double> times;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        const std::vector<std::string>& row = table.rows[r];
        Point point;
        for (std::size_t k = 0; k < columns.knobs.size(); ++k) {
            point.push_back(value_index(space->all_knobs[k], row[columns.knobs[k]]));
        }
        std::vector<float> features;
        for (const std::size_t c : columns.features) {
            const std::string where = fmt::format("{}: {}", table.where(r), table.heads[c]);
            MEMSIDE_TRY(const double value, parse_number(row[c], where));
            features.push_back(static_cast<float>(value));
        }
        MEMSIDE_TRY(const double time_ns,
                    read_time(row[columns.time], fmt::format("{}: time_ns", table.where(r))));
        if (!times.emplace(key_of(point), time_ns).second) {
            return bad_input(table.where(r), "the point is there twice");
        }
        space->rows.emplace(key_of(point), std::move(features));
    }
    Truth truth;
    truth.name = std::move(name);
    MEMSIDE_TRY(truth.candidates, Candidates::of(space));
    for (CandidateId id = 0; id < truth.candidates->size(); ++id) {
        const double time_ns = times.at(key_of(truth.candidates->point(id)));
        truth.time_ns.push_back(time_ns);
        if (time_ns > 0 && (truth.best_time_ns == 0 || time_ns < truth.best_time_ns)) {
            truth.best_time_ns = time_ns;
        }
    }
    if (truth.best_time_ns == 0) return bad_input(file, "has no point that works");
    return truth;
}

}  // namespace memside::tune
