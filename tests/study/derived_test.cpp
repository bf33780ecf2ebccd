#include "study/derived.h"

#include <cmath>

#include "study/points.h"

namespace memside {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

const PointSet& points() {
    static const PointSet set = points_of(
        "base: {model: llama-3.1-8b}\n"
        "list:\n"
        "  - {policy: dense, system: a100x1, context: [32K, 64K]}\n"
        "  - {policy: pnm-kv, system: [a100x1-pnm1, a100x1-pnm2], context: [32K, 64K]}\n");
    return set;
}

// Results whose throughput is typed in: dense 10 and 5; pnm-kv 20, 30, 40 and nothing.
std::vector<SimulationResult> results() {
    std::vector<SimulationResult> list(6);
    const double speeds[] = {10, 5, 20, 30, 40, 0};
    for (std::size_t i = 0; i < 5; ++i) {
        list[i].batch = 1;
        list[i].throughput_tok_per_s = speeds[i];
        list[i].tpot_s = 1.0 / speeds[i];
        list[i].phases = {{"recall", 0.25 / speeds[i]}};
    }
    return list;
}

ConfigNode node_of(const std::string& text) {
    const auto node = parse_config(text, "e.yaml");
    EXPECT_TRUE(node.ok());
    return *node;
}

Column column_of(const std::string& text) {
    const auto ratio = read_ratio(node_of(text), points());
    EXPECT_TRUE(ratio.ok()) << (ratio.ok() ? "" : ratio.error().message());
    return ratio.ok() ? ratio_column(*ratio, results()) : Column{};
}

TEST(Derived, a_ratio_divides_by_the_baseline_row_of_the_same_context) {
    EXPECT_THAT(column_of("{name: r, of: throughput_tok_per_s, to: {policy: dense}, "
                          "same: [context]}"),
                ElementsAre(Optional(1.0), Optional(1.0), Optional(2.0), Optional(6.0),
                            Optional(4.0), std::nullopt));
}

TEST(Derived, where_less_is_better_the_baseline_is_divided_by_the_row) {
    EXPECT_THAT(column_of("{name: r, of: tpot_s, to: {policy: dense, context: 64K}, "
                          "lower_is_better: true}"),
                ElementsAre(Optional(DoubleEq(2.0)), Optional(1.0), Optional(DoubleEq(4.0)),
                            Optional(DoubleEq(6.0)), Optional(DoubleEq(8.0)), std::nullopt));
}

TEST(Derived, a_ratio_to_another_figure_stays_in_its_row) {
    EXPECT_THAT(column_of("{name: r, of: phase.recall, by: tpot_s}"),
                ElementsAre(Optional(0.25), Optional(0.25), Optional(0.25), Optional(0.25),
                            Optional(0.25), std::nullopt));
}

TEST(Derived, a_ratio_needs_one_baseline_for_every_point) {
    const auto refusal = [](const std::string& text) {
        const auto ratio = read_ratio(node_of(text), points());
        EXPECT_FALSE(ratio.ok());
        return ratio.ok() ? "" : ratio.error().message();
    };
    EXPECT_THAT(refusal("{name: r, of: tpot_s, to: {policy: dense}}"), HasSubstr("2 baselines"));
    EXPECT_THAT(refusal("{name: r, of: tpot_s, to: {policy: recall}}"), HasSubstr("no point"));
    EXPECT_THAT(refusal("{name: r, of: tpot_s, to: {polcy: dense}}"), HasSubstr("did you mean"));
    EXPECT_THAT(refusal("{name: r, of: tpot_s}"), HasSubstr("either 'by'"));
    EXPECT_THAT(refusal("{name: r, of: tpot_s, by: tpot_s, to: {policy: dense}}"),
                HasSubstr("either 'by'"));
}

TEST(Derived, means_are_of_the_kind_that_is_asked_for) {
    const Column column{2.0, 8.0, std::nullopt, 4.0};
    const std::vector<std::size_t> all{0, 1, 2, 3};
    EXPECT_EQ(mean_of(column, MeanKind::arithmetic, all).value, 14.0 / 3.0);
    EXPECT_DOUBLE_EQ(*mean_of(column, MeanKind::geometric, all).value, 4.0);
    EXPECT_DOUBLE_EQ(*mean_of(column, MeanKind::harmonic, all).value, 3.0 / 0.875);
    EXPECT_EQ(mean_of(column, MeanKind::largest, all).value, 8.0);
    EXPECT_EQ(mean_of(column, MeanKind::smallest, all).value, 2.0);
    EXPECT_EQ(mean_of(column, MeanKind::arithmetic, all).count, 3);
    EXPECT_EQ(mean_of(column, MeanKind::arithmetic, {1, 3}).value, 6.0);
    EXPECT_EQ(mean_of(column, MeanKind::arithmetic, {2}).value, std::nullopt);
}

TEST(Derived, a_mean_is_declared_over_the_points_that_it_names) {
    const auto mean = read_mean(node_of("{name: m, of: r, kind: geometric, where: "
                                        "{policy: pnm-kv, context: [64K]}}"),
                                points(), {"r"});
    ASSERT_TRUE(mean.ok());
    EXPECT_THAT(mean->points, ElementsAre(3, 5));
    EXPECT_FALSE(read_mean(node_of("{name: m, of: s, kind: geometric}"), points(), {"r"}).ok());
    EXPECT_FALSE(read_mean(node_of("{name: m, of: r, kind: median}"), points(), {"r"}).ok());
}

TEST(Derived, a_selection_in_words_is_that_of_a_map) {
    const auto words = Selector::parse("policy=pnm-kv  context=32K", points(), "s.csv:2");
    ASSERT_TRUE(words.ok());
    EXPECT_THAT(words->in(points()), ElementsAre(2, 4));
    EXPECT_FALSE(Selector::parse("policy", points(), "s.csv:2").ok());
    EXPECT_FALSE(Selector::parse("policy=recall", points(), "s.csv:2").ok());
    EXPECT_EQ(Selector::parse("", points(), "s.csv:2")->in(points()).size(), 6);
}

}  // namespace
}  // namespace memside
