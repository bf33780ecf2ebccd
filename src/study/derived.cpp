#include "study/derived.h"

#include <cmath>

#include "base/text.h"

namespace memside {
namespace {

const std::vector<std::string>& mean_kinds() {
    static const std::vector<std::string> names{"arithmetic", "geometric", "harmonic", "largest",
                                                "smallest"};
    return names;
}

std::string option_name(std::string name) {
    if (name.find('.') == std::string::npos) std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::string text_or(const ConfigNode& map, std::string_view key, const std::string& fallback) {
    const ConfigNode* node = map.find(key);
    return node == nullptr ? fallback : node->scalar;
}

std::string describe(const Point& point) {
    return join(point.swept, ", ");
}

}  // namespace

Status Selector::check(const std::string& name, const PointSet& set, const std::string& where) {
    for (const Point& point : set.points) {
        if (point.settings.find(name) != nullptr) return {};
    }
    return bad_input(where,
                     fmt::format("no point has {}{}", in_quotes(name), hint(name, set.keys)));
}

Result<Selector> Selector::parse(const ConfigNode& node, const PointSet& set) {
    if (!node.is_map()) return bad_input(node.where(), "a selection is a map of names and values");
    Selector selector;
    for (const auto& [key, value] : node.fields) {
        Term term{option_name(key), {}};
        MEMSIDE_CHECK(check(term.name, set, value.where()));
        if (value.is_scalar()) term.values.push_back(value.scalar);
        for (const ConfigNode& item : value.items) term.values.push_back(item.scalar);
        selector.terms_.push_back(std::move(term));
    }
    if (selector.in(set).empty()) return bad_input(node.where(), "selects no point");
    return selector;
}

Result<Selector> Selector::parse(const std::string& text, const PointSet& set,
                                 const std::string& where) {
    Selector selector;
    std::string_view rest = trim(text);
    while (!rest.empty()) {
        const std::size_t blank = std::min(rest.find(' '), rest.size());
        const std::string_view pair = rest.substr(0, blank);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) {
            return bad_input(where, in_quotes(pair) + " is not of the form name=value");
        }
        Term term{option_name(std::string(pair.substr(0, equals))),
                  {std::string(pair.substr(equals + 1))}};
        MEMSIDE_CHECK(check(term.name, set, where));
        selector.terms_.push_back(std::move(term));
        rest = trim(rest.substr(blank));
    }
    if (selector.in(set).empty()) return bad_input(where, "selects no point");
    return selector;
}

bool Selector::matches(const Point& point) const {
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        const std::optional<std::string> value = point.settings.text(term.name);
        return value &&
               std::find(term.values.begin(), term.values.end(), *value) != term.values.end();
    });
}

std::vector<std::size_t> Selector::in(const PointSet& set) const {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < set.points.size(); ++i) {
        if (matches(set.points[i])) indices.push_back(i);
    }
    return indices;
}

Result<Ratio> read_ratio(const ConfigNode& node, const PointSet& set) {
    if (!node.is_map()) return bad_input(node.where(), "a ratio is a map");
    MEMSIDE_CHECK(expect_keys(node, {"name", "head", "of", "by", "to", "same", "lower_is_better"}));
    MEMSIDE_TRY(std::string name, required_text(node, "name"));
    MEMSIDE_TRY(const std::string of, required_text(node, "of"));
    MEMSIDE_TRY(Measure measure, Measure::parse(of, node.where()));
    Ratio ratio{name, text_or(node, "head", name), std::move(measure), {}, {}, false};
    if (const ConfigNode* lower = node.find("lower_is_better")) {
        MEMSIDE_TRY(const std::size_t is,
                    parse_choice(lower->scalar, {"false", "true"}, lower->where()));
        ratio.lower_is_better = is == 1;
    }
    const ConfigNode* by = node.find("by");
    const ConfigNode* to = node.find("to");
    if ((by == nullptr) == (to == nullptr)) {
        return bad_input(node.where(),
                         "a ratio has either 'by', another figure of the same row, "
                         "or 'to', the row of the baseline");
    }
    if (by != nullptr) {
        MEMSIDE_TRY(ratio.by, Measure::parse(by->scalar, by->where()));
        return ratio;
    }
    MEMSIDE_TRY(const Selector baseline, Selector::parse(*to, set));
    std::vector<std::string> same;
    if (const ConfigNode* list = node.find("same")) {
        for (const ConfigNode& item : list->items) same.push_back(option_name(item.scalar));
    }
    const std::vector<std::size_t> candidates = baseline.in(set);
    for (const Point& point : set.points) {
        std::vector<std::size_t> found;
        for (const std::size_t c : candidates) {
            if (std::all_of(same.begin(), same.end(), [&](const std::string& key) {
                    return set.points[c].settings.text(key) == point.settings.text(key);
                })) {
                found.push_back(c);
            }
        }
        if (found.size() != 1) {
            return bad_input(to->where(),
                             fmt::format("'{}' has {} baselines for the point {}; it needs one",
                                         name, found.size(), in_quotes(describe(point))));
        }
        ratio.baselines.push_back(found.front());
    }
    return ratio;
}

Column ratio_column(const Ratio& ratio, const std::vector<SimulationResult>& results) {
    Column column;
    for (std::size_t i = 0; i < results.size(); ++i) {
        std::optional<double> above = ratio.of.of(results[i]);
        std::optional<double> below =
            ratio.by ? ratio.by->of(results[i]) : ratio.of.of(results[ratio.baselines[i]]);
        if (ratio.lower_is_better) std::swap(above, below);
        const bool has = above && below && *below != 0.0;
        column.push_back(has ? std::optional(*above / *below) : std::nullopt);
    }
    return column;
}

Result<Mean> read_mean(const ConfigNode& node, const PointSet& set,
                       const std::vector<std::string>& columns) {
    if (!node.is_map()) return bad_input(node.where(), "a mean is a map");
    MEMSIDE_CHECK(expect_keys(node, {"name", "head", "of", "kind", "where"}));
    Mean mean;
    MEMSIDE_TRY(mean.name, required_text(node, "name"));
    mean.head = text_or(node, "head", mean.name);
    MEMSIDE_TRY(mean.of, required_text(node, "of"));
    if (std::find(columns.begin(), columns.end(), mean.of) == columns.end()) {
        return bad_input(
            node.find("of")->where(),
            fmt::format("there is no column {}{}", in_quotes(mean.of), hint(mean.of, columns)));
    }
    MEMSIDE_TRY(const std::string kind, required_text(node, "kind"));
    MEMSIDE_TRY(const std::size_t index,
                parse_choice(kind, mean_kinds(), node.find("kind")->where()));
    mean.kind = static_cast<MeanKind>(index);
    if (const ConfigNode* where = node.find("where")) {
        MEMSIDE_TRY(const Selector selector, Selector::parse(*where, set));
        mean.points = selector.in(set);
    } else {
        for (std::size_t i = 0; i < set.points.size(); ++i) mean.points.push_back(i);
    }
    return mean;
}

MeanValue mean_of(const Column& column, MeanKind kind, const std::vector<std::size_t>& points) {
    std::vector<double> values;
    for (const std::size_t i : points) {
        if (column[i]) values.push_back(*column[i]);
    }
    if (values.empty()) return {};
    const auto count = static_cast<double>(values.size());
    double sum = 0.0;
    for (const double value : values) {
        sum += kind == MeanKind::geometric  ? std::log(value)
               : kind == MeanKind::harmonic ? 1.0 / value
                                            : value;
    }
    double mean = sum / count;
    if (kind == MeanKind::geometric) mean = std::exp(mean);
    if (kind == MeanKind::harmonic) mean = 1.0 / mean;
    if (kind == MeanKind::largest) mean = *std::max_element(values.begin(), values.end());
    if (kind == MeanKind::smallest) mean = *std::min_element(values.begin(), values.end());
    return {values.size(), mean};
}

std::string_view mean_kind_name(MeanKind kind) {
    return mean_kinds()[static_cast<std::size_t>(kind)];
}

}  // namespace memside
