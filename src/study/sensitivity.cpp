#include "study/sensitivity.h"

#include <cmath>
#include <set>

#include "base/number.h"
#include "base/text.h"

namespace memside {
namespace {

class SensitivityReader {
  public:
    explicit SensitivityReader(const ConfigNode& root) : root_(root) {}

    Result<Sensitivity> read(const std::string& name) {
        study_.name = name;
        MEMSIDE_CHECK(expect_keys(root_, {"experiment", "kind", "title", "figure", "note", "claims",
                                          "vary", "grids", "scenarios", "quick", "tolerance"}));
        MEMSIDE_TRY(const std::string own_name, required_text(root_, "experiment"));
        if (own_name != name) {
            return bad_input(root_.find("experiment")->where(),
                             fmt::format("the experiment is called {}, its file '{}'",
                                         in_quotes(own_name), name));
        }
        MEMSIDE_TRY(study_.title, required_text(root_, "title"));
        MEMSIDE_TRY(study_.figure, required_text(root_, "figure"));
        if (const ConfigNode* note = root_.find("note")) study_.note = note->scalar;
        MEMSIDE_CHECK(each("claims", true, [&](const ConfigNode& node) { return claim(node); }));
        MEMSIDE_CHECK(each("vary", true, [&](const ConfigNode& node) { return range(node); }));
        MEMSIDE_CHECK(each("grids", false, [&](const ConfigNode& node) { return grid(node); }));
        MEMSIDE_CHECK(
            each("scenarios", false, [&](const ConfigNode& node) { return scenario(node); }));
        MEMSIDE_CHECK(each("quick", true, [&](const ConfigNode& node) -> Status {
            MEMSIDE_TRY(const std::size_t index, range_index(node));
            study_.quick.push_back(index);
            return {};
        }));
        MEMSIDE_TRY(study_.tolerance, read_tolerance(root_));
        return std::move(study_);
    }

  private:
    template <typename Read>
    Status each(std::string_view key, bool required, const Read& read) {
        const ConfigNode* list = root_.find(key);
        if (list == nullptr && !required) return {};
        if (list == nullptr || !list->is_list() || list->items.empty()) {
            return bad_input(root_.where(), fmt::format("'{}' must be a list", key));
        }
        for (const ConfigNode& item : list->items) MEMSIDE_CHECK(read(item));
        return {};
    }

    static Result<std::vector<Setting>> settings(const ConfigNode& node, std::string_view key) {
        const ConfigNode* map = node.find(key);
        if (map == nullptr) {
            return bad_input(node.where(), fmt::format("'{}' is missing", key));
        }
        return read_settings(*map, key);
    }

    Status claim(const ConfigNode& node) {
        if (!node.is_map()) return bad_input(node.where(), "a claim is a map");
        MEMSIDE_CHECK(
            expect_keys(node, {"name", "head", "of", "lower_is_better", "own", "baseline"}));
        MEMSIDE_TRY(const std::string of, required_text(node, "of"));
        MEMSIDE_TRY(Measure measure, Measure::parse(of, node.where()));
        Claim claim{.name = "",
                    .head = "",
                    .of = std::move(measure),
                    .own = {},
                    .baseline = {},
                    .stated = {},
                    .source = ""};
        MEMSIDE_TRY(claim.name, required_text(node, "name"));
        MEMSIDE_TRY(claim.head, required_text(node, "head"));
        if (const ConfigNode* lower = node.find("lower_is_better")) {
            MEMSIDE_TRY(const std::size_t is,
                        parse_choice(lower->scalar, {"false", "true"}, lower->where()));
            claim.lower_is_better = is == 1;
        }
        MEMSIDE_TRY(claim.own, settings(node, "own"));
        MEMSIDE_TRY(claim.baseline, settings(node, "baseline"));
        study_.claims.push_back(std::move(claim));
        return {};
    }

    Status range(const ConfigNode& node) {
        if (!node.is_map()) return bad_input(node.where(), "an entry of 'vary' is a map");
        MEMSIDE_CHECK(
            expect_keys(node, {"name", "head", "settings", "replaces", "values", "default"}));
        AssumptionRange range;
        MEMSIDE_TRY(range.name, required_text(node, "name"));
        MEMSIDE_TRY(range.head, required_text(node, "head"));
        const ConfigNode* settings = node.find("settings");
        const ConfigNode* replaces = node.find("replaces");
        if ((settings == nullptr) == (replaces == nullptr)) {
            return bad_input(node.where(),
                             "give either 'settings', a list of names that take the "
                             "value, or 'replaces', a figure");
        }
        if (settings != nullptr) {
            for (const ConfigNode& item : settings->items) range.settings.push_back(item.scalar);
            if (range.settings.empty()) {
                return bad_input(settings->where(), "'settings' is a list of names");
            }
        } else {
            range.replaces = replaces->scalar;
        }
        const ConfigNode* values = node.find("values");
        if (values == nullptr || !values->is_list() || values->items.size() < 2) {
            return bad_input(node.where(), "'values' must be a list of two or more");
        }
        std::vector<std::string> texts;
        for (const ConfigNode& item : values->items) {
            if (!range.replaces.empty()) {
                MEMSIDE_CHECK(checked(Measure::parse(item.scalar, item.where())));
            }
            range.values.push_back({"", item.scalar, item.where()});
            texts.push_back(item.scalar);
        }
        MEMSIDE_TRY(const std::string standard, required_text(node, "default"));
        MEMSIDE_TRY(range.standard, parse_choice(standard, texts, node.find("default")->where()));
        study_.ranges.push_back(std::move(range));
        return {};
    }

    template <typename T>
    static Status checked(const Result<T>& result) {
        return result.ok() ? Status() : Status(result.error());
    }

    Result<std::size_t> range_index(const ConfigNode& node) const {
        std::vector<std::string> names;
        for (const AssumptionRange& range : study_.ranges) names.push_back(range.name);
        return parse_choice(node.scalar, names, node.where());
    }

    Status grid(const ConfigNode& node) {
        std::vector<std::size_t> ranges;
        for (const ConfigNode& item : node.items) {
            MEMSIDE_TRY(const std::size_t index, range_index(item));
            ranges.push_back(index);
        }
        if (std::set<std::size_t>(ranges.begin(), ranges.end()).size() != ranges.size() ||
            ranges.size() < 2) {
            return bad_input(node.where(), "a grid is a list of two or more different names");
        }
        study_.grids.push_back(std::move(ranges));
        return {};
    }

    Status scenario(const ConfigNode& node) {
        if (!node.is_map()) return bad_input(node.where(), "a scenario is a map");
        MEMSIDE_CHECK(expect_keys(node, {"name", "note", "change", "replace"}));
        Scenario scenario;
        MEMSIDE_TRY(scenario.name, required_text(node, "name"));
        if (const ConfigNode* note = node.find("note")) scenario.note = note->scalar;
        if (const ConfigNode* change = node.find("change")) {
            MEMSIDE_TRY(scenario.settings, read_settings(*change, "change"));
        }
        if (const ConfigNode* replace = node.find("replace")) {
            for (const auto& [key, by] : replace->fields) {
                MEMSIDE_CHECK(checked(Measure::parse(by.scalar, by.where())));
                scenario.measures.emplace_back(key, by.scalar);
            }
        }
        study_.scenarios.push_back(std::move(scenario));
        return {};
    }

    const ConfigNode& root_;
    Sensitivity study_;
};

// Every combination of the values of some ranges, the last running fastest.
std::vector<Variation> combinations(const Sensitivity& study,
                                    const std::vector<std::size_t>& ranges) {
    std::vector<std::string> names;
    for (const std::size_t r : ranges) names.push_back(study.ranges[r].name);
    Variation start;
    start.group = join(names, " x ");
    start.standard = true;
    std::vector<Variation> all{start};
    for (const std::size_t r : ranges) {
        std::vector<Variation> longer;
        for (const Variation& some : all) {
            for (std::size_t v = 0; v < study.ranges[r].values.size(); ++v) {
                longer.push_back(some);
                Variation& last = longer.back();
                last.at.push_back(study.ranges[r].values[v].value);
                last.ranges.push_back(r);
                last.values.push_back(v);
                last.standard = last.standard && v == study.ranges[r].standard;
            }
        }
        all = std::move(longer);
    }
    return all;
}

// The points that variations need.
class PointCollection {
  public:
    explicit PointCollection(const Sensitivity& study) : study_(study) {}

    // The index of a claim's side under a variation.
    std::size_t index(const std::vector<Setting>& side, const Variation& variation) {
        Point point;
        point.settings.file = study_.name;
        for (const Setting& setting : side) point.settings.put(setting);
        for (const Setting& setting : changes(variation)) point.settings.put(setting);
        set_.points.push_back(std::move(point));
        return set_.points.size() - 1;
    }

    // Results by index; alike points run once, after what they have no use for is taken from them.
    // `points`: how many ran.
    Result<std::vector<SimulationResult>> run(const RunOptions& options, std::size_t& points) {
        MEMSIDE_CHECK(drop_unused_settings(set_));
        std::map<std::string, std::size_t> known;
        std::vector<std::size_t> which;
        PointSet distinct;
        for (const Point& point : set_.points) {
            std::string key;
            for (const Setting& setting : point.settings.list) {
                key += fmt::format("{}={}\n", setting.name, setting.value);
            }
            const auto [at, is_new] = known.try_emplace(key, distinct.points.size());
            if (is_new) distinct.points.push_back(point);
            which.push_back(at->second);
        }
        MEMSIDE_CHECK(check_points(distinct));
        MEMSIDE_TRY(const std::vector<SimulationResult> results,
                    run_points(distinct.points, options));
        points = results.size();
        std::vector<SimulationResult> all;
        for (const std::size_t i : which) all.push_back(results[i]);
        return all;
    }

  private:
    std::vector<Setting> changes(const Variation& variation) const {
        if (variation.scenario) return study_.scenarios[*variation.scenario].settings;
        std::vector<Setting> settings;
        for (std::size_t i = 0; i < variation.ranges.size(); ++i) {
            const AssumptionRange& range = study_.ranges[variation.ranges[i]];
            const Setting& value = range.values[variation.values[i]];
            for (const std::string& name : range.settings) {
                settings.push_back({name, value.value, value.where});
            }
        }
        return settings;
    }

    const Sensitivity& study_;
    PointSet set_;
};

// The claim's measure, or what a variation puts in its place.
Measure measure_under(const Sensitivity& study, const Claim& claim, const Variation& variation) {
    std::string by;
    if (variation.scenario) {
        for (const auto& [replaced, measure] : study.scenarios[*variation.scenario].measures) {
            if (replaced == claim.of.name()) by = measure;
        }
    }
    for (std::size_t i = 0; i < variation.ranges.size(); ++i) {
        const AssumptionRange& range = study.ranges[variation.ranges[i]];
        if (range.replaces == claim.of.name()) by = range.values[variation.values[i]].value;
    }
    if (by.empty()) return claim.of;
    return *Measure::parse(by, "");  // checked when it was read
}

// Every all-default row must be the same: a default that is written down is then the one that the
// systems have.
Status check_standards(const Sensitivity& study, const std::vector<Variation>& variations) {
    const Variation* first = nullptr;
    for (const Variation& variation : variations) {
        if (!variation.standard) continue;
        if (first == nullptr) first = &variation;
        for (std::size_t c = 0; c < study.claims.size(); ++c) {
            const std::optional<double>& a = variation.ratios[c];
            const std::optional<double>& b = first->ratios[c];
            const bool same = a && b ? std::abs(*a - *b) <= 1e-9 * std::abs(*b) : a == b;
            if (same) continue;
            return bad_input(study.name,
                             fmt::format("at the defaults of '{}' {} is {}, at those of '{}' {}; a "
                                         "default must be what the simulation has without it",
                                         variation.group, study.claims[c].name, a.value_or(0.0),
                                         first->group, b.value_or(0.0)));
        }
    }
    return {};
}

}  // namespace

Result<Sensitivity> parse_sensitivity(const ConfigNode& root, const std::string& name) {
    return SensitivityReader(root).read(name);
}

Result<SensitivityRun> run_sensitivity(const Sensitivity& study, bool quick,
                                       const RunOptions& options) {
    SensitivityRun run;
    std::vector<Variation>& variations = run.variations;
    const auto add = [&](std::vector<Variation> more) {
        std::move(more.begin(), more.end(), std::back_inserter(variations));
    };
    for (std::size_t r = 0; r < study.ranges.size(); ++r) {
        const bool chosen =
            std::find(study.quick.begin(), study.quick.end(), r) != study.quick.end();
        if (!quick || chosen) add(combinations(study, {r}));
    }
    if (!quick) {
        for (const std::vector<std::size_t>& grid : study.grids) add(combinations(study, grid));
        for (std::size_t s = 0; s < study.scenarios.size(); ++s) {
            Variation variation;
            variation.group = "scenario";
            variation.at = {study.scenarios[s].name};
            variation.scenario = s;
            variations.push_back(std::move(variation));
        }
    }
    PointCollection points(study);
    std::vector<std::vector<std::pair<std::size_t, std::size_t>>> sides;
    for (const Variation& variation : variations) {
        auto& of_claims = sides.emplace_back();
        for (const Claim& claim : study.claims) {
            of_claims.emplace_back(points.index(claim.own, variation),
                                   points.index(claim.baseline, variation));
        }
    }
    MEMSIDE_TRY(const std::vector<SimulationResult> results, points.run(options, run.points));
    for (std::size_t v = 0; v < variations.size(); ++v) {
        Variation& variation = variations[v];
        for (std::size_t c = 0; c < study.claims.size(); ++c) {
            const Measure measure = measure_under(study, study.claims[c], variation);
            std::optional<double> above = measure.of(results[sides[v][c].first]);
            std::optional<double> below = measure.of(results[sides[v][c].second]);
            if (study.claims[c].lower_is_better) std::swap(above, below);
            const bool has = above && below && *below != 0.0;
            variation.ratios.push_back(has ? std::optional(*above / *below) : std::nullopt);
        }
        variation.drop_out_rate = results[sides[v].front().first].drop_out_rate;
        if (!variation.standard || !run.standard.empty()) continue;
        for (const auto& [own, baseline] : sides[v]) {
            for (const std::size_t side : {own, baseline}) {
                const bool known = std::any_of(run.standard.begin(), run.standard.end(),
                                               [&](const SimulationResult& other) {
                                                   return other.settings == results[side].settings;
                                               });
                if (!known) run.standard.push_back(results[side]);
            }
        }
    }
    MEMSIDE_CHECK(check_standards(study, variations));
    return run;
}

std::vector<ClaimRange> claim_ranges(const Sensitivity& study,
                                     const std::vector<Variation>& variations) {
    std::vector<ClaimRange> all;
    for (std::size_t c = 0; c < study.claims.size(); ++c) {
        for (std::size_t r = 0; r < study.ranges.size(); ++r) {
            ClaimRange range;
            range.claim = c;
            range.range = r;
            for (const Variation& variation : variations) {
                if (variation.ranges != std::vector<std::size_t>{r}) continue;
                const std::optional<double>& ratio = variation.ratios[c];
                const std::string& at = variation.at.front();
                if (variation.standard) range.standard = ratio;
                const bool reached =
                    ratio && study.claims[c].stated && *ratio >= *study.claims[c].stated;
                (reached ? range.reached : range.not_reached).push_back(at);
                if (!ratio) continue;
                if (!range.lowest || *ratio < *range.lowest) {
                    range.lowest = ratio;
                    range.lowest_at = at;
                }
                if (!range.highest || *ratio > *range.highest) {
                    range.highest = ratio;
                    range.highest_at = at;
                }
            }
            if (range.lowest) all.push_back(std::move(range));
        }
    }
    return all;
}

}  // namespace memside
