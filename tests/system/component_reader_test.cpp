#include "system/component_reader.h"

#include "files.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing_system::TempFolder;

constexpr const char* link_text =
    "kind: link\n"
    "description: a link of tests\n"
    "constants:\n"
    "  bandwidth: {value: 64 GB/s, source: \"a test\"}\n"
    "  efficiency: {value: 75 %, source: \"assumed: a test\"}\n"
    "  latency: {value: 100 ns, source: \"a test\"}\n"
    "  energy: {value: 6.5 pJ/bit, source: \"a test\"}\n";

// `text` as file x.yaml of a folder shown as "dev": the message, or "ok".
std::string error_of(const std::string& text) {
    const TempFolder folder;
    folder.write("x.yaml", text);
    folder.write("link.yaml", link_text);
    folder.write("gpu.yaml", "kind: gpu\nconstants: {}\n");
    folder.write("loop.yaml", "kind: link\ninherit: x\n");
    const auto component = folder.library().load("x", "sys.yaml:3");
    return component.ok() ? "ok" : component.error().message();
}

TEST(Component, constants_come_in_si_units_with_text_source_and_line) {
    const TempFolder folder;
    folder.write("x.yaml", link_text);
    const auto component = folder.library().load("x", "sys.yaml:3");
    ASSERT_TRUE(component.ok()) << component.error().message();
    EXPECT_EQ(component->name, "x");
    EXPECT_EQ(component->kind, ComponentKind::link);
    EXPECT_EQ(component->where, "dev/x.yaml:1");
    EXPECT_DOUBLE_EQ(component->value("bandwidth"), 64e9);
    EXPECT_DOUBLE_EQ(component->value("efficiency"), 0.75);
    EXPECT_DOUBLE_EQ(component->value("latency"), 100e-9);
    EXPECT_DOUBLE_EQ(component->value("energy"), 52e-12);
    EXPECT_EQ(component->constant("efficiency").text, "75 %");
    EXPECT_EQ(component->constant("efficiency").where, "dev/x.yaml:5");
    EXPECT_TRUE(component->constant("efficiency").assumed());
    EXPECT_FALSE(component->constant("bandwidth").assumed());
}

TEST(Component, an_assumed_constant_may_have_a_range_around_its_value) {
    const auto with = [](const std::string& range) {
        std::string text = link_text;
        const std::string before = "{value: 100 ns, source: \"a test\"";
        return text.replace(text.find(before), before.size(), before + ", range: " + range);
    };
    const TempFolder folder;
    folder.write("x.yaml", with("[50 ns, 1 us]"));
    const auto component = folder.library().load("x", "sys.yaml:3");
    ASSERT_TRUE(component.ok()) << component.error().message();
    ASSERT_TRUE(component->constant("latency").range);
    EXPECT_DOUBLE_EQ(component->constant("latency").range->low, 50e-9);
    EXPECT_DOUBLE_EQ(component->constant("latency").range->high, 1e-6);
    EXPECT_FALSE(component->constant("bandwidth").range);
    EXPECT_THAT(error_of(with("[200 ns, 1 us]")), HasSubstr("does not hold the value '100 ns'"));
    EXPECT_THAT(error_of(with("[1 us, 50 ns]")), HasSubstr("does not hold"));
    EXPECT_THAT(error_of(with("50 ns")), HasSubstr("'range' must be [lowest, highest]"));
    EXPECT_THAT(error_of(with("[50 ns, 1 GB]")), HasSubstr("1 GB"));
}

TEST(Component, the_nearest_description_of_a_constant_wins) {
    const TempFolder folder;
    folder.write("a.yaml", link_text);
    folder.write("b.yaml",
                 "kind: link\ninherit: a\nconstants:\n"
                 "  bandwidth: {value: 1 GB/s, source: b}\n"
                 "  latency: {value: 1 us, source: b}\n");
    folder.write("c.yaml",
                 "kind: link\ninherit: b\nconstants: {latency: {value: 2 us, source: c}}\n");
    const auto component = folder.library().load("c", "sys.yaml:3");
    ASSERT_TRUE(component.ok()) << component.error().message();
    EXPECT_EQ(component->name, "c");
    EXPECT_DOUBLE_EQ(component->value("latency"), 2e-6);
    EXPECT_DOUBLE_EQ(component->value("bandwidth"), 1e9);
    EXPECT_DOUBLE_EQ(component->value("efficiency"), 0.75);
    EXPECT_EQ(component->constant("latency").where, "dev/c.yaml:3");
    EXPECT_EQ(component->constant("bandwidth").where, "dev/b.yaml:4");
    EXPECT_EQ(component->constant("efficiency").where, "dev/a.yaml:5");
}

TEST(Component, every_mistake_is_named_with_its_line) {
    struct Case {
        std::string text;
        std::string message;
    };
    const std::string constants = "kind: link\nconstants:\n  ";
    const Case cases[] = {
        {"", "dev/x.yaml: is empty"},
        {"kind: link", "ok"},
        {"- a\n", "dev/x.yaml:1: expected a map with the keys kind, inherit, description"},
        {"constants: {}\n", "dev/x.yaml:1: key 'kind' is missing"},
        {"kind: [a]\n", "dev/x.yaml:1: 'kind' must be text"},
        {"\nkind: lnk\n", "dev/x.yaml:2: unknown kind 'lnk'; did you mean 'link'?"},
        {"kind: host\n", "dev/x.yaml:1: unknown kind 'host'; allowed: gpu, pnm, cxl_memory, link"},
        {"kind: link\nconstant: {}\n",
         "dev/x.yaml:2: unknown key 'constant'; did you mean 'constants'?"},
        {"kind: link\nkind: link\n", "dev/x.yaml:2: key 'kind' stands twice"},
        {"kind: link\ndescription: {a: b}\n", "dev/x.yaml:2: 'description' must be text"},
        {"kind: link\nconstants: [1]\n", "dev/x.yaml:2: 'constants' must be a map"},
        {constants + "bandwith: {value: 1 GB/s, source: s}\n",
         "dev/x.yaml:3: unknown constant 'bandwith' of a link; did you mean 'bandwidth'?"},
        {constants + "clock: {value: 1 GHz, source: s}\n",
         "dev/x.yaml:3: unknown constant 'clock' of a link; allowed: bandwidth, efficiency"},
        {constants + "bandwidth: 64 GB/s\n",
         "dev/x.yaml:3: 'bandwidth' must be {value: ..., source: ...}"},
        {constants + "bandwidth: {value: 64 GB/s}\n",
         "dev/x.yaml:3: 'bandwidth' has no source; name the paper or datasheet"},
        {constants + "bandwidth: {source: s}\n", "dev/x.yaml:3: key 'value' is missing"},
        {constants + "bandwidth: {value: 64 GB/s, source: \" \"}\n",
         "dev/x.yaml:3: the source of 'bandwidth' is empty"},
        {constants + "bandwidth: {value: 64 GB/s, source: }\n",
         "dev/x.yaml:3: 'source' must be text"},
        {constants + "bandwidth: {value: 64 GB/s, source: \"a\\nb\"}\n",
         "dev/x.yaml:3: the source of 'bandwidth' must be one line"},
        {constants + "bandwidth: {value: 64 GB/s, source: s, note: n}\n",
         "dev/x.yaml:3: unknown key 'note'"},
        {constants + "bandwidth:\n    source: s\n    value: 64\n",
         "dev/x.yaml:5: '64' has no unit; a bandwidth is a number with one of the units GB/s"},
        {constants + "bandwidth: {value: 64 GB, source: s}\n",
         "dev/x.yaml:3: '64 GB' has the wrong unit"},
        {constants + "bandwidth: {value: fast, source: s}\n",
         "dev/x.yaml:3: 'fast' is not a number"},
        {constants + "bandwidth: {value: -64 GB/s, source: s}\n",
         "dev/x.yaml:3: '-64 GB/s' is negative"},
        {constants + "bandwidth: {value: 0 GB/s, source: s}\n", "dev/x.yaml:3: '0 GB/s' "},
        {constants + "efficiency: {value: 0 %, source: s}\n",
         "dev/x.yaml:3: '0 %' must be more than 0"},
        {constants + "bandwidth: {value: nan GB/s, source: s}\n",
         "dev/x.yaml:3: 'nan GB/s' is not a number"},
        {constants + "bandwidth: {value: 1e999 GB/s, source: s}\n",
         "dev/x.yaml:3: '1e999 GB/s' is out of range"},
        {constants + "efficiency: {value: 1.1, source: s}\n",
         "dev/x.yaml:3: '1.1' is more than 1; allowed: 0 to 1, or a percentage"},
        {constants + "latency: {value: 0 ns, source: \"assumed: none\"}\n", "ok"},
        {"kind: link\ninherit: lnk\n",
         "dev/x.yaml:2: unknown component 'lnk'; did you mean 'link'?"},
        {"kind: link\ninherit: ../../etc/passwd\n",
         "dev/x.yaml:2: '../../etc/passwd' is not a component's name"},
        {"kind: link\ninherit: \"\"\n", "dev/x.yaml:2: '' is not a component's name"},
        {"kind: link\ninherit: [a]\n", "dev/x.yaml:2: 'inherit' must be text"},
        {"kind: link\n\ninherit: gpu\n",
         "dev/x.yaml:3: a link cannot inherit from 'gpu', which is a gpu"},
        {"kind: link\ninherit: x\n", "dev/x.yaml:2: inheritance goes in a circle: x -> x"},
        {"kind: link\ninherit: loop\n",
         "dev/loop.yaml:2: inheritance goes in a circle: x -> loop -> x"},
        {"kind: link\nconstants: {bandwidth: [}\n", "dev/x.yaml:2: "},
        {"a: &a [*a]\n", "dev/x.yaml:1: an alias"},
        {std::string(80, '[') + std::string(80, ']'), "dev/x.yaml:1: is nested deeper than"},
    };
    for (const Case& example : cases) {
        const std::string message = error_of(example.text);
        EXPECT_THAT(message, testing::StartsWith(example.message)) << example.text;
        EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
    }
}

TEST(Component, an_unknown_name_is_reported_where_it_is_used) {
    const TempFolder folder;
    folder.write("cxl-pnm.yaml", "kind: pnm\n");
    const auto component = folder.library().load("cxl-pmn", "sys.yaml:7");
    ASSERT_FALSE(component.ok());
    EXPECT_EQ(component.error().message(),
              "sys.yaml:7: unknown component 'cxl-pmn'; did you mean 'cxl-pnm'?");
    EXPECT_EQ(component.error().exit_status(), 2);
}

TEST(Component, folders_are_searched_in_order) {
    const TempFolder first;
    const TempFolder second;
    first.write("a.yaml", "kind: link\n");
    second.write("a.yaml", "kind: gpu\n");
    second.write("b.yaml", "kind: gpu\n");
    const ComponentLibrary library({{first.path(), "1"}, {second.path(), "2"}});
    EXPECT_EQ(library.load("a", "")->where, "1/a.yaml:1");
    EXPECT_EQ(library.load("b", "")->where, "2/b.yaml:1");
}

}  // namespace
}  // namespace memside
