#include "system/override.h"

#include <cmath>

#include "files.h"
#include "system/catalog.h"

namespace memside {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& system, const Overrides& overrides) {
    const auto loaded = load_system(system, overrides);
    if (loaded.ok()) return "ok";
    EXPECT_EQ(loaded.error().exit_status(), 2);
    return loaded.error().message();
}

TEST(Set, a_constant_takes_the_value_and_says_where_it_comes_from) {
    const auto system = load_system(
        "a100x2-pnm8", {{"pnm.digest_in_capacity", "false"}, {"gpu.memory_bandwidth", "3 TB/s"}});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->at("pnm").value("digest_in_capacity"), 0.0);
    const Constant& bandwidth = system->at("gpu").constant("memory_bandwidth");
    EXPECT_DOUBLE_EQ(bandwidth.value, 3e12);
    EXPECT_EQ(bandwidth.text, "3 TB/s");
    EXPECT_EQ(bandwidth.path, "gpu.memory_bandwidth");
    EXPECT_EQ(bandwidth.source, "--set");
    EXPECT_EQ(bandwidth.where, "--set");
    EXPECT_FALSE(bandwidth.assumed());
}

TEST(Set, the_last_of_a_repeated_path_wins) {
    const auto system = load_system("a100x1", {{"gpu.price", "1 USD/h"}, {"gpu.price", "2 USD/h"}});
    ASSERT_TRUE(system.ok());
    EXPECT_DOUBLE_EQ(system->at("gpu").value("price"), 2);
}

TEST(Set, the_system_lists_what_was_changed_each_path_once) {
    const auto system = load_system(
        "a100x2-pnm8", {{"pnm.count", "32"}, {"gpu.price", "1 USD/h"}, {"pnm.count", "64"}});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->name, "a100x2-pnm8");
    EXPECT_EQ(system->overrides, (Overrides{{"pnm.count", "64"}, {"gpu.price", "1 USD/h"}}));
    EXPECT_TRUE(load_system("a100x2-pnm8", {})->overrides.empty());
}

TEST(Set, links_follow_a_changed_count) {
    const auto system = load_system(
        "a100x2-pnm8", {{"pnm.count", "12"}, {"gpu.count", "3"}, {"uplink.count", "2"}});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->count("pnm"), 12);
    EXPECT_EQ(system->count("device_link"), 12);
    EXPECT_EQ(system->count("gpu_link"), 3);
    EXPECT_EQ(system->memory_nodes(), 2);
    EXPECT_EQ(system->at("pnm").count_source, "--set");
}

TEST(Set, a_component_is_replaced_by_another_of_its_kind) {
    const auto system =
        load_system("h100x8-pnm4", {{"pnm.use", "cxl-pnm-2x"}, {"pnm.price", "1 USD/h"}});
    ASSERT_TRUE(system.ok()) << system.error().message();
    const Component& pnm = system->at("pnm");
    EXPECT_EQ(pnm.name, "cxl-pnm-2x");
    EXPECT_EQ(pnm.count, 4);
    EXPECT_DOUBLE_EQ(pnm.value("memory_capacity"), std::ldexp(1.0, 40));
    EXPECT_NEAR(pnm.value("memory_bandwidth"), 2.2e12, 0.02e12);
    EXPECT_DOUBLE_EQ(pnm.value("price"), 1.0);  // set after it
    EXPECT_EQ(pnm.constant("memory_capacity").path, "pnm.memory_capacity");
    EXPECT_THAT(error_of("h100x8-pnm4", {{"pnm.use", "a100-80gb"}}),
                HasSubstr("--set pnm.use: role 'pnm' takes a pnm, but 'a100-80gb' is a gpu"));
    EXPECT_THAT(error_of("h100x8-pnm4", {{"pnm.use", "cxl-pnm-3x"}}),
                HasSubstr("did you mean 'cxl-pnm-2x'?"));
}

TEST(Set, a_kernel_draws_between_idle_and_full_power) {
    EXPECT_EQ(error_of("a100x1", {{"gpu.busy_power", "400 W"}}), "ok");
    EXPECT_EQ(error_of("a100x1", {{"gpu.busy_power", "401 W"}}),
              "--set gpu.busy_power: busy_power 401 W is above active_power 400 W");
    EXPECT_EQ(error_of("a100x1", {{"gpu.busy_power", "54 W"}}),
              "--set gpu.busy_power: busy_power 54 W is below idle_power 55 W");
    EXPECT_EQ(error_of("a100x1", {{"gpu.active_power", "100 W"}}),
              "--set gpu.active_power: busy_power 137 W is above active_power 100 W");
}

TEST(Set, every_mistake_is_named) {
    const std::pair<Overrides::value_type, std::string> cases[] = {
        {{"price", "1"}, "--set price: expected role.key=value, such as"},
        {{"", "1"}, "--set : expected role.key=value"},
        {{"gpuu.price", "1 USD/h"},
         "--set gpuu.price: unknown role 'gpuu'; did you mean 'gpu'? (it has gpu, gpu_link, cost)"},
        {{"pnm.digest_in_capacity", "false"},
         "--set pnm.digest_in_capacity: system 'a100x2' has no pnm (it has gpu, gpu_link, cost)"},
        {{"gpu.memory_bandwith", "1 TB/s"},
         "--set gpu.memory_bandwith: 'gpu' has no constant 'memory_bandwith'; did you mean "
         "'memory_bandwidth'?"},
        {{"gpu.", "1"}, "--set gpu.: 'gpu' has no constant ''; allowed: memory_capacity"},
        {{"gpu.price.x", "1"}, "'gpu' has no constant 'price.x'"},
        {{"gpu.price", "1"}, "--set gpu.price: '1' has no unit; a price is a number with one of"},
        {{"gpu.price", ""}, "--set gpu.price: '' is not a number"},
        {{"gpu.memory_bandwidth", "0 GB/s"}, "--set gpu.memory_bandwidth: '0 GB/s' "},
        {{"gpu.memory_capacity", "0 GB"}, "--set gpu.memory_capacity: '0 GB' must be more than 0"},
        {{"gpu.memory_bandwidth", "-1 GB/s"}, "'-1 GB/s' is negative"},
        {{"cost.include_host", "yes"}, "--set cost.include_host: 'yes' is not a switch; allowed: "},
        {{"gpu.count", "0"}, "--set gpu.count: '0' is out of range; allowed: 1 to 4096"},
        {{"gpu.count", "many"}, "--set gpu.count: 'many' is not an integer"},
        {{"gpu_link.count", "2"},
         "--set gpu_link.count: the count of 'gpu_link' cannot be set; it follows gpu.count"},
        {{"cost.count", "2"}, "the count of 'cost' cannot be set; a system has one"},
        {{"gpu.idle_power", "401 W"},
         "--set gpu.idle_power: idle power 401 W is above active_power 400 W"},
        {{"gpu.active_power", "1 W"},
         "--set gpu.active_power: idle power 55 W is above active_power 1 W"},
        {{"gpu.memory_reserved", "1"}, "--set gpu.memory_reserved: memory_reserved must be less"},
        {{"gp\nu.x", "1"}, "--set gp\\x0au.x: unknown role 'gp\\x0au'"},
    };
    for (const auto& [pair, message] : cases) {
        EXPECT_THAT(error_of("a100x2", {pair}), HasSubstr(message)) << pair.first;
    }
    const std::pair<Overrides::value_type, std::string> pnm_cases[] = {
        {{"pnm.dram_power", "61 W"},
         "--set pnm.dram_power: controller_power 90 W and dram_power 61 W make 151 W, more than "
         "platform_power 150 W"},
        {{"pnm.controller_power", "111 W"}, "--set pnm.controller_power: controller_power 111 W"},
        {{"pnm.platform_power", "129 W"},
         "--set pnm.platform_power: controller_power 90 W and dram_power 40 W make 130 W"},
        {{"pnm.idle_power", "151 W"},
         "--set pnm.idle_power: idle power 151 W is above platform_power 150 W"},
        {{"pnm.dram_power", "60 W"}, "ok"},
        {{"pnm.idle_power", "150 W"}, "ok"},
    };
    for (const auto& [pair, message] : pnm_cases) {
        EXPECT_THAT(error_of("a100x2-pnm8", {pair}), HasSubstr(message)) << pair.first;
    }
    EXPECT_EQ(error_of("rack-2x8a100-pnm32", {{"pnm.count", "33"}}),
              "--set pnm.count: 33 pnm do not divide evenly over the 2 nodes of uplink.count");
    EXPECT_EQ(error_of("a100x2-pnm8", {{"uplink.count", "3"}}),
              "--set uplink.count: 8 pnm do not divide evenly over the 3 nodes of uplink.count");
}

}  // namespace
}  // namespace memside
