#include "study/sensitivity.h"

#include <sstream>

#include "study/points.h"

namespace memside {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

const std::string text =
    "experiment: s\n"
    "kind: sensitivity\n"
    "title: t\n"
    "figure: f\n"
    "claims:\n"
    "  - name: speed\n"
    "    head: Speed\n"
    "    of: throughput_tok_per_s\n"
    "    own: {model: llama-3.1-8b, context: 32K, system: a100x1-pnm1, policy: pnm-kv}\n"
    "    baseline: {model: llama-3.1-8b, context: 32K, system: a100x1, policy: dense}\n"
    "  - name: energy\n"
    "    head: Energy\n"
    "    of: energy_j_per_token\n"
    "    lower_is_better: true\n"
    "    own: {model: llama-3.1-8b, context: 32K, system: a100x1-pnm1, policy: png-kv}\n"
    "    baseline: {model: llama-3.1-8b, context: 32K, system: a100x1, policy: dense}\n"
    "vary:\n"
    "  - {name: budget, head: Budget, settings: [budget], values: [4K, 8K, 16K], default: 8K}\n"
    "  - {name: power, head: Power, settings: [gpu.idle_power, pnm.idle_power], "
    "values: [10 W, 20 W], default: STANDARD}\n"
    "  - {name: model, head: Model, replaces: energy_j_per_token, "
    "values: [energy_j_per_token, energy_coarse_j_per_token], default: energy_j_per_token}\n"
    "grids: [[budget, model]]\n"
    "scenarios:\n"
    "  - {name: all, note: n, change: {budget: 4K}, replace: {energy_j_per_token: "
    "energy_coarse_j_per_token}}\n"
    "quick: [budget]\n"
    "tolerance: {relative: 0.1 %, reason: a test}\n";

// Without the range of powers, whose default the systems do not have.
std::string sound() {
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find("STANDARD") == std::string::npos) out += line + '\n';
    }
    return out;
}

Result<Sensitivity> parsed(const std::string& yaml) {
    const auto root = parse_config(yaml, "s.yaml");
    EXPECT_TRUE(root.ok());
    return parse_sensitivity(*root, "s");
}

double value(const std::string& settings, const char* measure) {
    const PointSet set = points_of("base: {model: llama-3.1-8b, context: 32K, " + settings + "}\n");
    const auto result = simulate(*read_request(set.points.at(0).settings));
    return *Measure::parse(measure, "")->of(*result);
}

TEST(Sensitivity, varies_one_assumption_at_a_time_then_grids_then_scenarios) {
    const auto study = parsed(sound());
    ASSERT_TRUE(study.ok()) << study.error().message();
    const auto run = run_sensitivity(*study, false, {});
    ASSERT_TRUE(run.ok()) << run.error().message();
    std::vector<std::string> rows;
    for (const Variation& variation : run->variations) {
        rows.push_back(variation.group + ": " + fmt::format("{}", fmt::join(variation.at, ", ")));
    }
    EXPECT_THAT(
        rows,
        ElementsAre("budget: 4K", "budget: 8K", "budget: 16K", "model: energy_j_per_token",
                    "model: energy_coarse_j_per_token", "budget x model: 4K, energy_j_per_token",
                    "budget x model: 4K, energy_coarse_j_per_token",
                    "budget x model: 8K, energy_j_per_token",
                    "budget x model: 8K, energy_coarse_j_per_token",
                    "budget x model: 16K, energy_j_per_token",
                    "budget x model: 16K, energy_coarse_j_per_token", "scenario: all"));
    // Each PNM policy at three budgets and without one; dense attention, which has none, once.
    EXPECT_EQ(run->points, 9);
    EXPECT_EQ(run->standard.size(), 3);
}

TEST(Sensitivity, a_claim_is_the_ratio_of_two_simulations) {
    const auto study = parsed(sound());
    const auto run = run_sensitivity(*study, false, {});
    const auto own = [](const char* policy, const char* measure) {
        return value(fmt::format("system: a100x1-pnm1, budget: 4K, policy: {}", policy), measure);
    };
    const auto dense = [](const char* measure) {
        return value("system: a100x1, policy: dense", measure);
    };
    const double speed = own("pnm-kv", "throughput_tok_per_s") / dense("throughput_tok_per_s");
    const double energy = dense("energy_j_per_token") / own("png-kv", "energy_j_per_token");
    const double coarse =
        dense("energy_coarse_j_per_token") / own("png-kv", "energy_coarse_j_per_token");
    EXPECT_THAT(run->variations.front().ratios,
                ElementsAre(Optional(DoubleEq(speed)), Optional(DoubleEq(energy))));
    EXPECT_THAT(run->variations.back().ratios,
                ElementsAre(Optional(DoubleEq(speed)), Optional(DoubleEq(coarse))));
    EXPECT_EQ(run->variations[6].ratios, run->variations.back().ratios);
}

TEST(Sensitivity, a_quick_run_varies_only_what_is_named) {
    const auto study = parsed(sound());
    const auto run = run_sensitivity(*study, true, {});
    EXPECT_EQ(run->variations.size(), 3);
}

TEST(Sensitivity, the_region_of_a_claim_is_where_the_stated_figure_is_reached) {
    Sensitivity study = *parsed(sound());
    Variation variation;
    std::vector<Variation> variations;
    const std::optional<double> ratios[] = {2.0, 5.0, std::nullopt};
    for (std::size_t v = 0; v < 3; ++v) {
        variation.ranges = {0};
        variation.values = {v};
        variation.at = {study.ranges[0].values[v].value};
        variation.standard = v == 1;
        variation.ratios = {ratios[v], std::nullopt};
        variations.push_back(variation);
    }
    study.claims[0].stated = 4.0;
    const std::vector<ClaimRange> ranges = claim_ranges(study, variations);
    ASSERT_EQ(ranges.size(), 1);
    EXPECT_EQ(ranges[0].lowest, 2.0);
    EXPECT_EQ(ranges[0].highest_at, "8K");
    EXPECT_EQ(ranges[0].standard, 5.0);
    EXPECT_THAT(ranges[0].reached, ElementsAre("8K"));
    EXPECT_THAT(ranges[0].not_reached, ElementsAre("4K", "16K"));
}

TEST(Sensitivity, a_default_that_the_systems_do_not_have_is_refused) {
    std::string wrong = text;
    wrong.replace(wrong.find("STANDARD"), 8, "10 W");
    const auto study = parsed(wrong);
    ASSERT_TRUE(study.ok()) << study.error().message();
    const auto run = run_sensitivity(*study, false, {});
    ASSERT_FALSE(run.ok());
    EXPECT_THAT(run.error().message(), HasSubstr("a default must be what the simulation has"));
}

TEST(Sensitivity, bad_files_are_refused_with_their_line) {
    const auto refusal = [](const std::string& from, const std::string& to) {
        std::string yaml = sound();
        yaml.replace(yaml.find(from), from.size(), to);
        const auto study = parsed(yaml);
        EXPECT_FALSE(study.ok()) << to;
        return study.ok() ? "" : study.error().message();
    };
    EXPECT_THAT(refusal("default: 8K", "default: 9K"), testing::StartsWith("s.yaml:18: "));
    EXPECT_THAT(refusal("values: [4K, 8K, 16K]", "values: [8K]"), HasSubstr("two or more"));
    EXPECT_THAT(refusal("grids: [[budget, model]]", "grids: [[budget, budget]]"),
                HasSubstr("different names"));
    EXPECT_THAT(refusal("quick: [budget]", "quick: [budge]"), HasSubstr("did you mean 'budget'"));
    EXPECT_THAT(refusal("of: throughput_tok_per_s", "of: speed"), HasSubstr("no figure"));
    EXPECT_THAT(refusal("{budget: 4K}", "{bugdet: 4K}"), HasSubstr("did you mean 'budget'"));
}

}  // namespace
}  // namespace memside
