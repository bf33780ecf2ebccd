#include "study/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel.h"
#include "base/text.h"
#include "report/format.h"
#include "study/runner.h"
#include "study/simulation_options.h"
#include "study/spec.h"
#include "system/catalog.h"

namespace memside {
namespace {

constexpr double most_above = 1.25;  // of the reference: larger is no comparison
constexpr double equal_share = 0.9;

constexpr const char* module_role = "pim";
constexpr const char* all_tokens = "64M";  // a budget beyond any context

std::string_view merit_constant(CompareAt at) {
    return at == CompareAt::power ? "active_power" : "price";
}

double merit_of(CompareAt at, double throughput, const SystemSize& size) {
    constexpr double seconds_per_hour = 3600;
    if (at == CompareAt::power) return throughput / size.power_w;
    return throughput * seconds_per_hour / size.usd_per_hour;
}

// "a100" of "a100x8"; systems without GPUs are compared with A100s.
std::string gpu_of(const std::string& system) {
    return system.starts_with("h100") ? "h100" : "a100";
}

std::string policy_on(const SystemSpec& system) {
    if (system.has("pim")) return "pim";
    if (system.has("pnm")) return "pnm-kv";
    return system.has("cxl") ? "recall" : "dense";
}

// The fastest among sizes as large as the reference; else the nearest from below that runs, else
// the nearest from above.
const CompareRow* choose(const std::vector<CompareRow>& rows) {
    const CompareRow* best = nullptr;
    const auto rank = [](const CompareRow& row) {
        if (row.share > 1 + 1e-9) return std::pair(0, -row.share);
        if (row.share < equal_share) return std::pair(1, row.share);
        return std::pair(2, *row.result.throughput_tok_per_s);
    };
    for (const CompareRow& row : rows) {
        if (!row.runs() || row.share > most_above) continue;
        if (best == nullptr || rank(row) > rank(*best)) best = &row;
    }
    return best;
}

// Of what was tried the nearest from below says what is missing.
CompareRow nothing_runs(const std::vector<CompareRow>& rows, const std::string& family) {
    CompareRow out;
    out.family = family;
    const CompareRow* nearest = nullptr;
    const CompareRow* smallest = nullptr;
    for (const CompareRow& row : rows) {
        if (row.runs() && (smallest == nullptr || row.share < smallest->share)) smallest = &row;
        if (row.share > 1 + 1e-9) continue;
        if (nearest == nullptr || row.share > nearest->share) nearest = &row;
    }
    if (smallest != nullptr) {
        out.result = SimulationResult{};
        out.result.system = smallest->result.system;
        out.result.policy = smallest->result.policy;
        out.result.reason = fmt::format("the smallest that runs is {:.0f} % above the reference",
                                        (smallest->share - 1) * 100);
        return out;
    }
    if (nearest == nullptr && !rows.empty()) nearest = &rows.front();
    if (nearest != nullptr) {
        out = *nearest;
        out.family = family;
        out.result.batch = 0;
        if (out.result.reason.empty()) out.result.reason = "nothing fits";
    }
    return out;
}

class Comparing {
  public:
    explicit Comparing(const CompareRequest& request) : request_(request) {}

    Result<Comparison> run() {
        MEMSIDE_CHECK(choose_families());
        MEMSIDE_CHECK(settings_by_family());
        MEMSIDE_CHECK(run_reference());
        for (const CompareAt at : request_.at) {
            MEMSIDE_TRY(CompareTable table, make_table(at));
            out_.tables.push_back(std::move(table));
        }
        return std::move(out_);
    }

  private:
    Status choose_families() {
        std::vector<std::string> names;
        for (const SystemFamily& family : system_families()) names.push_back(family.name);
        for (const std::string& wanted : request_.families) {
            MEMSIDE_CHECK(parse_choice(wanted, names, "--systems"));
        }
        for (const SystemFamily& family : system_families()) {
            const auto& list = request_.families;
            if (list.empty() || std::find(list.begin(), list.end(), family.name) != list.end()) {
                families_.push_back(family);
            }
        }
        return {};
    }

    // What was set reaches the families that have a use for it; the last point is the reference's.
    Status settings_by_family() {
        MEMSIDE_TRY(const SystemSpec reference, load_system(request_.reference, {}));
        PointSet set;
        for (const SystemFamily& family : families_) {
            Point point{request_.settings, {}};
            for (const Setting& setting : family_settings(family, gpu(), 1, 1)) {
                point.settings.put(setting);
            }
            if (family.attends_all) point.settings.put({"budget", all_tokens, ""});
            set.points.push_back(std::move(point));
        }
        Point point{request_.settings, {}};
        point.settings.put({"system", request_.reference, ""});
        point.settings.put({"policy", policy_on(reference), ""});
        set.points.push_back(std::move(point));
        MEMSIDE_CHECK(drop_unused_settings(set));
        for (Point& one : set.points) {
            // The comparison has DRAM-PIM attend every token.
            if (one.settings.text("policy") == "pim") {
                std::erase_if(one.settings.list, [](const Setting& setting) {
                    return option_group(setting.name) == option_group("budget") ||
                           setting.name.starts_with("scores.");
                });
            }
            base_.push_back(std::move(one.settings));
        }
        return {};
    }

    Status run_reference() {
        MEMSIDE_TRY(const SimulationRequest request, read_request(base_.back()));
        CompareRow& row = out_.reference;
        row.family = "reference";
        row.system = request.system;
        row.size = size_of(row.system);
        row.share = 1;
        row.result = run_point(request);
        if (row.runs()) {
            out_.title = label_results({row.result}).shared;
            return {};
        }
        return Error{
            "--reference",
            fmt::format("{} {}: {}", request_.reference, row.result.policy, row.result.reason),
            Error::Kind::infeasible};
    }

    Result<CompareTable> make_table(CompareAt at) {
        CompareTable table;
        table.at = at;
        const double limit = out_.reference.size.of(at);
        for (std::size_t f = 0; f < families_.size(); ++f) {
            MEMSIDE_TRY(const std::vector<SizedPoint> points,
                        sizes_near(families_[f], gpu(), at, limit, base_[f]));
            std::vector<CompareRow> rows(points.size());
            std::vector<Point> run;
            for (const SizedPoint& point : points) run.push_back({point.settings, {}});
            RunOptions how;
            how.jobs = request_.jobs;
            MEMSIDE_TRY(std::vector<SimulationResult> results, run_points(run, how));
            for (std::size_t i = 0; i < rows.size(); ++i) {
                rows[i].family = families_[f].name;
                rows[i].system = points[i].system;
                rows[i].size = size_of(rows[i].system);
                rows[i].share = rows[i].size.of(at) / limit;
                rows[i].result = std::move(results[i]);
            }
            const CompareRow* chosen = choose(rows);
            table.rows.push_back(chosen != nullptr ? *chosen
                                                   : nothing_runs(rows, families_[f].name));
        }
        for (CompareRow& row : table.rows) {
            if (!row.runs()) continue;
            row.merit = merit_of(at, *row.result.throughput_tok_per_s, row.size);
            if (request_.explained) MEMSIDE_CHECK(add_explanation(row));
        }
        add_flips(table);
        std::stable_sort(
            table.rows.begin(), table.rows.end(),
            [](const CompareRow& a, const CompareRow& b) { return a.merit > b.merit; });
        return table;
    }

    // The same system may stand in several tables.
    Status add_explanation(CompareRow& row) {
        const std::string key = row.family + " " + row.label();
        auto found = explained_.find(key);
        if (found == explained_.end()) {
            MEMSIDE_TRY(Explanation explanation, explain(row.result, key, request_.jobs));
            found = explained_.emplace(key, std::move(explanation)).first;
        }
        row.bounds = found->second.phases;
        for (const Improvement& improvement : found->second.improvements) {
            // Not hardware that there is twice of.
            if (improvement.limit == "number of devices" || improvement.limit == "budget" ||
                improvement.limit == "batch" || !improvement.throughput_ratio) {
                continue;
            }
            row.best_improvement = improvement;
            break;
        }
        add_module_improvements(row);
        return {};
    }

    // What is inside a DRAM-PIM module is described apart from systems, so that explain() cannot
    // double it. Its phases follow one another: half of one is taken off the step.
    static void add_module_improvements(CompareRow& row) {
        if (row.result.policy != "pim") return;
        const double step_s = *row.result.tpot_s;
        for (const char* part : {"PIM hub", "PIM banks"}) {
            double part_s = 0;
            for (const PhaseBound& phase : row.bounds) {
                if (phase.bound == part) part_s += phase.time_s;
            }
            const double ratio = step_s / (step_s - part_s / 2);
            if (row.best_improvement && ratio <= *row.best_improvement->throughput_ratio) continue;
            Improvement improvement;
            improvement.name = fmt::format("{} x 2, by arithmetic", part);
            improvement.limit = part;
            improvement.throughput_ratio = ratio;
            improvement.batch = row.result.batch;
            row.best_improvement = std::move(improvement);
        }
    }

    static void add_flips(CompareTable& table) {
        const std::string key(merit_constant(table.at));
        for (CompareRow& row : table.rows) {
            if (!row.runs()) continue;
            const Component* modules = row.system.find(module_role);
            if (modules == nullptr || !modules->constant(key).range) continue;
            row.ranged = modules->constant(key);
            const auto merit = [&](double value) { return row.merit_at(table.at, value); };
            for (const CompareRow& other : table.rows) {
                if (&other == &row || !other.runs()) continue;
                if (const auto at = crossing(*row.ranged->range, other.merit, merit)) {
                    row.flips.push_back({*at, other.label()});
                }
            }
            std::sort(row.flips.begin(), row.flips.end(),
                      [](const Flip& a, const Flip& b) { return a.at < b.at; });
        }
    }

    std::string gpu() const { return gpu_of(request_.reference); }

    const CompareRequest& request_;
    std::vector<SystemFamily> families_;
    std::vector<Settings> base_;  // of the families, then of the reference
    std::map<std::string, Explanation> explained_;
    Comparison out_;
};

}  // namespace

std::string CompareRow::label() const {
    std::string name = result.system;
    for (const auto& [key, value] : result.settings) {
        if (key == "cxl.count") name += ":" + value;
    }
    name += " " + result.policy;
    return result.budget_tokens ? name + " " + attends_text(result) : name;
}

double CompareRow::merit_at(CompareAt at, double value) const {
    SystemSpec changed = system;
    changed.components.at(module_role).constants.at(std::string(merit_constant(at))).value = value;
    return merit_of(at, *result.throughput_tok_per_s, size_of(changed));
}

std::optional<double> crossing(const Constant::Range& range, double other_merit,
                               const std::function<double(double)>& merit) {
    double low = range.low;
    double high = range.high;
    const double at_low = merit(low) - other_merit;
    if (at_low * (merit(high) - other_merit) > 0) return std::nullopt;
    constexpr int halvings = 60;
    for (int i = 0; i < halvings; ++i) {
        const double middle = (low + high) / 2;
        ((merit(middle) - other_merit) * at_low > 0 ? low : high) = middle;
    }
    return (low + high) / 2;
}

StepPart part_of_phase(std::string_view phase, const SimulationResult& result) {
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), phase) != names.end();
    };
    if (is({"qkv", "attn_out", "ffn", "lm_head", "fc"})) return StepPart::fc;
    if (is({"softmax", "vector"}) && result.policy == "pim") return StepPart::softmax;
    if (is({"digest_scan", "top_k", "digest", "digest_append"})) return StepPart::selection;
    if (is({"transfer", "all_reduce", "link", "recall", "write_back"})) return StepPart::links;
    return is({"pipeline bubble"}) ? StepPart::waiting : StepPart::attention;
}

std::array<double, step_part_names.size()> step_parts(const SimulationResult& result) {
    std::array<double, step_part_names.size()> parts{};
    for (const PhaseTime& phase : result.phases) {
        parts[static_cast<std::size_t>(part_of_phase(phase.name, result))] += phase.time_s;
    }
    return parts;
}

Result<Comparison> compare(const CompareRequest& request) {
    return Comparing(request).run();
}

}  // namespace memside
