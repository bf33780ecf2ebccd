#include "system/system_template.h"

#include <gtest/gtest.h>

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Result<SystemTemplate> read(const std::string& text) {
    auto root = parse_config(text, "t.yaml");
    if (!root.ok()) return root.error();
    return SystemTemplate::read(std::move(*root));
}

const std::string text =
    "system: \"{gpu}x{n}-m{m}\"\n"
    "where: {n: [1, 2], gpu: [a, ab], m: [4]}\n"
    "components:\n"
    "  gpu: {use: \"{gpu}-dev\", count: \"{n}*{m}\"}\n";

TEST(Template, names_vary_the_last_placeholder_of_the_name_fastest) {
    EXPECT_THAT(read(text)->names(), ElementsAre("ax1-m4", "ax2-m4", "abx1-m4", "abx2-m4"));
    EXPECT_EQ(read(text)->shown(), "(a|ab)xN-mN");
}

TEST(Template, placeholders_are_replaced_in_the_components) {
    const auto system = read(text)->instantiate("abx17-m3");
    ASSERT_TRUE(system.ok()) << system.error().message();
    ASSERT_TRUE(system->has_value());
    EXPECT_EQ((*system)->find("system")->scalar, "abx17-m3");
    EXPECT_EQ((*system)->find("where"), nullptr);
    const ConfigNode* gpu = (*system)->find("components")->find("gpu");
    EXPECT_EQ(gpu->find("use")->scalar, "ab-dev");
    EXPECT_EQ(gpu->find("count")->scalar, "17*3");
    EXPECT_EQ(gpu->line, 4);
}

TEST(Template, other_names_are_left_to_other_templates) {
    for (const char* name :
         {"", "a", "ax", "ax1", "ax1-m", "ax1-m4x", "cx1-m4", "x1-m4", "ax-m4"}) {
        const auto system = read(text)->instantiate(name);
        ASSERT_TRUE(system.ok()) << name;
        EXPECT_FALSE(system->has_value()) << name;
    }
}

TEST(Template, a_count_outside_the_range_is_bad_input) {
    EXPECT_EQ(read(text)->instantiate("ax0-m4").error().message(),
              "system 'ax0-m4': '0' is out of range; allowed: 1 to 4096");
    EXPECT_EQ(read(text)->instantiate("ax1-m04").error().message(),
              "system 'ax1-m04': '04' has a leading zero");
}

TEST(Template, a_single_system_needs_no_placeholders) {
    const auto single = read("system: box\ncomponents: {}\n");
    ASSERT_TRUE(single.ok());
    EXPECT_THAT(single->names(), ElementsAre("box"));
    EXPECT_TRUE(single->instantiate("box")->has_value());
    EXPECT_FALSE(single->instantiate("box2")->has_value());
}

TEST(Template, every_mistake_is_named_with_its_line) {
    const std::pair<std::string, std::string> cases[] = {
        {"- 1\n", "t.yaml:1: expected a map"},
        {"where: {}\n", "t.yaml:1: key 'system' is missing"},
        {"system: a\norder: x\n", "t.yaml:2: 'x' is not an integer"},
        {"system: a\norder: 0\n", "t.yaml:2: '0' is out of range"},
        {"system: a\nwhere: 3\n", "t.yaml:2: 'where' must be a map of lists"},
        {"system: a\nwhere: {n: 1}\n", "t.yaml:2: 'n' must be a list"},
        {"system: a\nwhere: {n: []}\n", "t.yaml:2: 'n' must be a list"},
        {"system: a\nwhere: {n: [[1]]}\n", "t.yaml:2: a value of 'n' must be text"},
        {"system: a\nwhere: {n: [1]}\n", "t.yaml:1: placeholder 'n' is not in the name"},
        {"system: \"a{n\"\nwhere: {n: [1]}\n", "t.yaml:1: '{' without '}'"},
        {"system: \"a{m}\"\nwhere: {n: [1]}\n", "t.yaml:1: placeholder 'm' has no values"},
        {"system: \"{n}{n}\"\nwhere: {n: [1]}\n", "t.yaml:1: placeholder 'n' stands twice"},
    };
    for (const auto& [bad, message] : cases) {
        const auto made = read(bad);
        ASSERT_FALSE(made.ok()) << bad;
        EXPECT_THAT(made.error().message(), StartsWith(message));
    }
    const auto typo =
        read("system: \"a{num}\"\nwhere: {num: [1]}\ncomponents:\n  gpu: \"{nun}\"\n");
    EXPECT_EQ(typo->instantiate("a3").error().message(),
              "t.yaml:4: unknown placeholder 'nun'; did you mean 'num'?");
}

TEST(Template, the_list_of_systems_stays_bounded) {
    std::string list = "[1";
    for (int i = 2; i <= 100; ++i) list.append(",").append(std::to_string(i));
    list += "]";
    const auto made = read("system: \"{a}{b}\"\nwhere: {a: " + list + ", b: " + list + "}\n");
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message(), HasSubstr("lists more than 4096 systems"));
}

}  // namespace
}  // namespace memside
