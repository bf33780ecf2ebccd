#include "system/system_reader.h"

#include <rapidcheck/gtest.h>

#include "files.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing_system::minimal_system;
using testing_system::shipped_library;

std::string error_of(const std::string& text) {
    const auto system = parse_system(text, "sys.yaml", shipped_library());
    return system.ok() ? "ok" : system.error().message();
}

// The minimal system with `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
    std::string text = minimal_system;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

const std::string with_memory = minimal_system +
                                "  host_link: {use: a100-pcie}\n"
                                "  uplink: {use: cxl3-x16, count: 2}\n"
                                "  device_link: {use: cxl3-x8}\n"
                                "  pnm: {use: cxl-pnm, count: 4}\n";

TEST(SystemFile, roles_counts_and_constants_are_read) {
    const auto system = parse_system(with_memory, "sys.yaml", shipped_library());
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->name, "box");
    EXPECT_EQ(system->roles(), (std::vector<std::string>{"gpu", "gpu_link", "host_link", "uplink",
                                                         "device_link", "pnm", "cost"}));
    EXPECT_EQ(system->count("gpu"), 2);
    EXPECT_EQ(system->count("gpu_link"), 2);
    EXPECT_EQ(system->count("device_link"), 4);
    EXPECT_EQ(system->memory_nodes(), 2);
    EXPECT_EQ(system->at("gpu").name, "a100-80gb");
    EXPECT_EQ(system->at("gpu").constant("price").path, "gpu.price");
}

TEST(SystemFile, a_constant_can_differ_in_this_system) {
    const auto system = parse_system(
        changed("{use: us-prices}",
                "{use: us-prices, constants: {electricity: {value: 0.30 USD/kWh, source: bill}}}"),
        "sys.yaml", shipped_library());
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_DOUBLE_EQ(system->at("cost").value("electricity"), 0.30 / 3.6e6);
    EXPECT_EQ(system->at("cost").constant("electricity").where, "sys.yaml:5");
    EXPECT_EQ(system->at("cost").constant("electricity").source, "bill");
}

TEST(SystemFile, a_component_can_be_described_in_place) {
    const auto system =
        parse_system(changed("{use: us-prices}",
                             "\n    kind: prices\n    constants:\n"
                             "      electricity: {value: 0.1 USD/kWh, source: bill}\n"
                             "      include_host: {value: false, source: \"assumed: a test\"}\n"
                             "      host_power: {value: 1 W, source: \"assumed: a test\"}\n"
                             "      host_price: {value: 1 USD/h, source: \"assumed: a test\"}\n"
                             "      switch_power: {value: 1 W, source: \"assumed: a test\"}\n"
                             "      switch_price: {value: 1 USD/h, source: \"assumed: a test\"}\n"
                             "      cooling: {value: 0.5, source: \"assumed: a test\"}"),
                     "sys.yaml", shipped_library());
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->at("cost").name, "cost");
    EXPECT_DOUBLE_EQ(system->at("cost").value("electricity"), 0.1 / 3.6e6);
}

TEST(SystemFile, counts_are_products_and_exact_quotients) {
    const std::pair<std::string, int> good[] = {{"1", 1},      {"4096", 4096},  {"2*8", 16},
                                                {"32/16", 2},  {"3*8/12", 2},   {"2 * 3", 6},
                                                {"8/2*3", 12}, {"4096/4096", 1}};
    for (const auto& [text, count] : good) {
        const auto system = parse_system(changed("count: 2", "count: \"" + text + "\""), "sys.yaml",
                                         shipped_library());
        ASSERT_TRUE(system.ok()) << text << ": " << system.error().message();
        EXPECT_EQ(system->count("gpu"), count) << text;
    }
    for (const char* text :
         {"0", "-1", "4097", "1.5", "x", "", "*", "2*", "/2", "2//2", "3/2", "2+2", "1/0",
          "4096*4096", "4096*4096*4096*4096*4096*4096", "99999999999999999999"}) {
        EXPECT_THAT(error_of(changed("count: 2", std::string("count: \"") + text + "\"")),
                    testing::StartsWith("sys.yaml:3: "))
            << text;
    }
}

TEST(SystemFile, a_count_can_have_a_source) {
    const auto system =
        parse_system(changed("count: 2", "count: {value: 2, source: \"assumed: a pair\"}"),
                     "sys.yaml", shipped_library());
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->count("gpu"), 2);
    EXPECT_EQ(system->at("gpu").count_source, "assumed: a pair");
}

TEST(SystemFile, every_mistake_is_named_with_its_line) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "sys.yaml: is empty"},
        {"a", "sys.yaml:1: expected a map with the keys system"},
        {"components: {}\n", "sys.yaml:1: key 'system' is missing"},
        {"system: box\n", "sys.yaml:1: key 'components' is missing"},
        {"system: box\ncomponents: 1\n", "sys.yaml:2: 'components' must be a map of roles"},
        {"system: box\ncomponents: {}\n", "sys.yaml:2: role 'gpu' is missing (the GPUs"},
        {changed("system: box", "system: \"\""), "sys.yaml:1: the system's name must be"},
        {changed("system: box", "system: \"a\\nb\""), "sys.yaml:1: the system's name must be"},
        {changed("system: box", "system: \"a{n}\""), "sys.yaml:1: describes many systems"},
        {changed("system: box", "system: box\nwhere: {}"), "sys.yaml:1: describes many systems"},
        {changed("components", "component"), "sys.yaml:2: unknown key 'component'; did you mean"},
        {changed("  cost:", "  csot:"), "sys.yaml:5: unknown role 'csot'; did you mean 'cost'?"},
        {changed("  cost: {use: us-prices}\n", ""), "sys.yaml:2: role 'cost' is missing"},
        {changed("{use: us-prices}", "us-prices"), "sys.yaml:5: expected a map with the keys use"},
        {changed("{use: us-prices}", "{}"), "sys.yaml:5: 'cost' needs 'use: <component>', or"},
        {changed("{use: us-prices}", "{use: us-prices, kind: prices}"),
         "sys.yaml:5: 'cost' has both 'use' and 'kind'"},
        {changed("{use: us-prices}", "{use: us-price}"),
         "sys.yaml:5: unknown component 'us-price'; did you mean 'us-prices'?"},
        {changed("{use: us-prices}", "{use: cxl-pnm}"),
         "sys.yaml:5: role 'cost' takes a prices, but 'cxl-pnm' is a pnm"},
        {changed("{use: us-prices}", "{use: us-prices, count: 1}"),
         "sys.yaml:5: role 'cost' takes no count; a system has one"},
        {changed("{use: a100-nvlink}", "{use: a100-nvlink, count: 2}"),
         "sys.yaml:4: role 'gpu_link' takes no count; it has one per GPU"},
        {changed("count: 2", "count: [2]"), "sys.yaml:3: 'count' must be text"},
        {changed("count: 2", "count: {value: 2}"), "sys.yaml:3: key 'source' is missing"},
        {changed("count: 2", "count: {value: 2, source: \"\"}"),
         "sys.yaml:3: the source of 'count' is empty"},
        {changed("count: 2", "number: 2"), "sys.yaml:3: unknown key 'number'"},
        {changed("{use: us-prices}", "{use: us-prices, constants: {price: {value: 1}}}"),
         "sys.yaml:5: unknown constant 'price' of a prices; allowed: electricity, include_host, "
         "host_power"},
        {changed("{use: us-prices}", "{kind: prices}"),
         "sys.yaml:5: 'cost' lacks the constant 'electricity' (electricity price:"},
        {changed("count: 2", "constants: {idle_power: {value: 401 W, source: x}}"),
         "sys.yaml:3: idle power 401 W is above active_power 400 W"},
        {changed("count: 2", "constants: {memory_reserved: {value: 100 %, source: x}}"),
         "sys.yaml:3: memory_reserved must be less than 1"},
        {minimal_system + "  pnm: {use: cxl-pnm}\n",
         "sys.yaml:2: system 'box' has memory devices but no host_link"},
        {minimal_system + "  host_link: {use: a100-pcie}\n  cxl: {use: cxl-memory}\n",
         "sys.yaml:2: system 'box' has memory devices but no uplink"},
        {minimal_system + "  uplink: {use: cxl3-x16}\n",
         "sys.yaml:2: system 'box' has a uplink but no memory devices"},
        {minimal_system + "  node_link: {use: a100-infiniband, count: 3}\n",
         "sys.yaml:6: 2 gpu do not divide evenly over the 3 nodes of node_link.count"},
        {with_memory + "  cxl: {use: cxl-memory, count: 3}\n",
         "sys.yaml:7: 3 cxl do not divide evenly over the 2 nodes of uplink.count"},
    };
    EXPECT_EQ(error_of(with_memory), "ok");
    for (const auto& [text, message] : cases) {
        EXPECT_THAT(error_of(text), HasSubstr(message)) << text;
        EXPECT_THAT(error_of(text), testing::Not(HasSubstr("\n")));
    }
}

// Any bytes give a system that holds together or one line of bad input.
void expect_system_or_one_line(const std::string& text) {
    const auto system = parse_system(text, "sys.yaml", shipped_library());
    if (!system.ok()) {
        RC_ASSERT(system.error().kind == Error::Kind::bad_input);
        RC_ASSERT(system.error().message().find('\n') == std::string::npos);
        return;
    }
    for (const auto& [role, component] : system->components) {
        RC_ASSERT(component.count >= 1);
        for (const SchemaKey& key : schema(component.kind)) {
            RC_ASSERT(component.value(key.key) >= (key.positive ? 1e-300 : 0.0));
        }
    }
}

RC_GTEST_PROP(SystemFile, random_edits_never_crash, ()) {
    std::string text = with_memory;
    const int edits = *rc::gen::inRange(1, 6);
    for (int i = 0; i < edits; ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
        const auto piece = *rc::gen::element<std::string>(
            "{", "}", "[", "]", ": ", "\n", "\"", "*a", "&a ", "- ", "# ", "? ", "|\n", "!!x ", ",",
            "0", "-1", "use", "kind", "count", "\t", std::string(1, '\0'), "\xff", "%");
        const auto removed = *rc::gen::inRange<std::size_t>(0, 8);
        text.replace(at, removed, piece);
        if (text.empty()) text = "{";
    }
    expect_system_or_one_line(text);
}

RC_GTEST_PROP(SystemFile, a_cut_file_never_crashes, ()) {
    expect_system_or_one_line(
        with_memory.substr(0, *rc::gen::inRange<std::size_t>(0, with_memory.size())));
}

}  // namespace
}  // namespace memside
