#include "study/spec.h"

#include "study/points.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string base =
    "base: {model: llama-3.1-8b, system: a100x1-pnm1, policy: pnm-kv, context: 128K}\n";

std::vector<std::vector<std::string>> swept(const PointSet& set) {
    std::vector<std::vector<std::string>> rows;
    for (const Point& point : set.points) rows.push_back(point.swept);
    return rows;
}

TEST(Spec, a_grid_makes_every_combination_and_its_last_key_runs_fastest) {
    const PointSet set = points_of(base + "grid: {context: [32K, 64K], page-size: [16, 32]}\n");
    EXPECT_THAT(set.keys, ElementsAre("context", "page-size"));
    EXPECT_THAT(swept(set), ElementsAre(ElementsAre("32K", "16"), ElementsAre("32K", "32"),
                                        ElementsAre("64K", "16"), ElementsAre("64K", "32")));
    EXPECT_EQ(set.value(2, "context"), "64K");
}

TEST(Spec, an_entry_of_a_list_stands_for_every_combination_of_its_own_lists) {
    const PointSet set = points_of(base +
                                   "list:\n"
                                   "  - {system: a100x1-cxl, policy: recall}\n"
                                   "  - {policy: [pnm-kv, png-kv], context: [32K, 64K]}\n");
    EXPECT_THAT(set.keys, ElementsAre("system", "policy", "context"));
    ASSERT_EQ(set.points.size(), 5);
    EXPECT_THAT(set.points[0].swept, ElementsAre("a100x1-cxl", "recall", "128K"));
    EXPECT_THAT(set.points[4].swept, ElementsAre("a100x1-pnm1", "png-kv", "64K"));
}

TEST(Spec, list_and_grid_multiply_and_the_grid_wins) {
    const PointSet set = points_of(base +
                                   "list: [{context: 32K}, {context: 64K}]\n"
                                   "grid: {page-size: [16, 32, 64]}\n");
    EXPECT_EQ(set.points.size(), 6);
    const PointSet same = points_of(base + "list: [{context: 32K}]\ngrid: {context: [64K]}\n");
    EXPECT_EQ(same.points.at(0).settings.text("context"), "64K");
}

TEST(Spec, without_list_and_grid_there_is_one_point) {
    const PointSet set = points_of(base);
    EXPECT_EQ(set.points.size(), 1);
    EXPECT_TRUE(set.keys.empty());
}

TEST(Spec, names_may_be_written_with_underscores) {
    const PointSet set = points_of(base + "grid: {page_size: [16]}\n");
    EXPECT_THAT(set.keys, ElementsAre("page-size"));
    EXPECT_EQ(column_name(set.keys[0]), "page_size");
}

TEST(Spec, set_is_a_map_or_texts_as_on_the_command_line) {
    for (const char* form : {"set: {gpu.price: 2 USD/h}\n", "set: [gpu.price=2 USD/h]\n"}) {
        const PointSet set = points_of(base + form);
        EXPECT_EQ(set.points.at(0).settings.text("gpu.price"), "2 USD/h");
    }
}

TEST(Spec, a_set_name_can_be_swept) {
    const PointSet set = points_of(base + "grid: {pnm.memory_bandwidth: [1 TB/s, 2 TB/s]}\n");
    EXPECT_EQ(set.points.size(), 2);
    const auto request = read_request(set.points[1].settings);
    ASSERT_TRUE(request.ok());
    EXPECT_EQ(request->system.at("pnm").value("memory_bandwidth"), 2e12);
}

TEST(Spec, a_setting_reaches_only_the_points_that_have_a_use_for_it) {
    const PointSet set = points_of(
        "base: {model: llama-3.1-8b, context: 128K, page-size: 64}\n"
        "set: {pnm.price: 1 USD/h, scores.drift: 0.2}\n"
        "list: [{system: a100x1, policy: dense}, {system: a100x1-pnm1, policy: pnm-kv}]\n");
    ASSERT_EQ(set.points.size(), 2);
    for (const char* name : {"page-size", "pnm.price", "scores.drift"}) {
        EXPECT_EQ(set.points[0].settings.find(name), nullptr) << name;
        EXPECT_NE(set.points[1].settings.find(name), nullptr) << name;
    }
}

TEST(Spec, a_setting_that_no_point_has_a_use_for_is_refused) {
    const std::string dense =
        "base: {model: llama-3.1-8b, system: a100x1, policy: dense, context: 32K";
    EXPECT_THAT(refusal_of(dense + ", budget: 4K}\n"),
                AllOf(StartsWith("s.yaml:1: budget: no point"), HasSubstr("recall")));
    EXPECT_THAT(refusal_of(dense + "}\nset: {pnm.price: 1 USD/h}\n"),
                StartsWith("s.yaml:2: pnm.price: no point"));
}

struct BadSpec {
    const char* name;
    std::string text;
    const char* expected;
};

class BadSpecs : public testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecs, are_refused_with_their_line) {
    EXPECT_THAT(refusal_of(GetParam().text), StartsWith(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Spec, BadSpecs,
    testing::Values(
        BadSpec{"top_key", base + "grd: {}\n", "s.yaml:2: unknown key 'grd'; did you mean 'grid'?"},
        BadSpec{"name", base + "grid:\n  contxt: [1K]\n",
                "s.yaml:3: unknown setting 'contxt'; did you mean 'context'?"},
        BadSpec{"value", base + "grid:\n  context:\n    - 1K\n    - many\n", "s.yaml:5: context: "},
        BadSpec{"policy", base + "grid: {policy: [recal]}\n", "s.yaml:2: policy: "},
        BadSpec{"system", base + "grid: {system: [b100x1]}\n", "s.yaml:2: system: "},
        BadSpec{"constant", base + "set: {pnm.speed: 1}\n", "s.yaml:2: pnm.speed: 'pnm' has no"},
        BadSpec{"no_values", base + "grid: {context: []}\n", "s.yaml:2: 'context' has no value"},
        BadSpec{"nested", base + "grid: {context: [[1K]]}\n", "s.yaml:2: a value of 'context'"},
        BadSpec{"base_list", "base: {context: [1K]}\n", "s.yaml:1: 'context' must have one value"},
        BadSpec{"empty_list", base + "list: []\n", "s.yaml:2: 'list' has no entry"},
        BadSpec{"no_model", "base: {context: 1K, policy: dense, system: a100x1}\n",
                "s.yaml: a point has no 'model'"},
        BadSpec{"threads", base + "grid: {threads: [1]}\n", "s.yaml:2: 'threads' is not a point's"},
        BadSpec{"twice", base + "grid: {page_size: [1], page-size: [2]}\n",
                "s.yaml:2: 'page-size' is given twice"},
        BadSpec{"set_name", base + "set: [price=1]\n", "s.yaml:2: 'price' is no --set name"},
        BadSpec{"no_map", "[1]\n", "s.yaml:1: a sweep is a map"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Spec, more_points_than_the_limit_are_refused_before_they_are_made) {
    std::string values = "[1";
    for (int i = 2; i <= 400; ++i) values += fmt::format(", {}", i);
    values += "]";
    EXPECT_THAT(refusal_of(base + fmt::format("grid: {{batch: {0}, seed: {0}}}\n", values)),
                HasSubstr("more than 100000 points"));
}

}  // namespace
}  // namespace memside
