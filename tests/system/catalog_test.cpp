#include "system/catalog.h"

#include <fmt/format.h>

#include <rapidcheck/gtest.h>

#include "files.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing_system::TempFolder;
namespace fs = std::filesystem;

const auto* const shipped_data = testing::AddGlobalTestEnvironment(new testing_system::ShippedData);

std::string error_of(const std::string& name) {
    const auto system = load_system(name, {});
    if (system.ok()) return "loaded";
    EXPECT_EQ(system.error().exit_status(), 2) << name;
    return system.error().message();
}

// The names of the command line's documentation, written out by hand.
TEST(Catalog, the_documented_names_are_listed_in_their_order) {
    std::vector<std::string> expected;
    const std::vector<std::string> counts{"1", "2", "4", "8"};
    for (const std::string suffix : {"", "-cxl"}) {
        for (const std::string gpu : {"a100x", "h100x"}) {
            for (const auto& n : counts) expected.push_back(gpu + n + suffix);
        }
    }
    for (const std::string gpu : {"a100x", "h100x"}) {
        for (const auto& n : counts) {
            for (const auto& m : counts) expected.push_back(gpu + n + "-pnm" + m);
        }
    }
    for (const std::string m : {"16", "32", "48", "64"}) {
        expected.push_back("rack-2x8a100-pnm" + m);
    }
    expected.push_back("rack-2x8a100-cxl");
    for (const std::string n : {"8", "20", "32"}) expected.push_back("cent-x" + n);
    for (const std::string n : {"4", "16"}) expected.push_back("neupims-x" + n);
    for (const std::string gpu : {"a100x", "h100x"}) {
        for (const auto& n : counts) {
            for (const std::string m : {"8", "32"}) expected.push_back(gpu + n + "-pim" + m);
        }
    }
    EXPECT_EQ(system_names(), expected);
}

TEST(Catalog, every_listed_system_loads_under_its_name) {
    const auto names = system_names();
    ASSERT_EQ(names.size(), 74u);
    for (const std::string& name : names) {
        const auto system = load_system(name, {});
        ASSERT_TRUE(system.ok()) << system.error().message();
        EXPECT_EQ(system->name, name);
        for (const auto& [role, component] : system->components) {
            EXPECT_EQ(component.role, role);
            EXPECT_EQ(component.constants.size(), schema(component.kind).size());
            for (const auto& [key, constant] : component.constants) {
                EXPECT_EQ(constant.path, role + "." + key);
            }
        }
    }
}

// Figures of section 1 and 7 of the paper's facts and of the datasheets, converted by hand.
TEST(Catalog, two_a100_with_eight_pnm_have_the_published_figures) {
    const auto system = load_system("a100x2-pnm8", {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->count("gpu"), 2);
    EXPECT_EQ(system->count("pnm"), 8);
    EXPECT_EQ(system->count("gpu_link"), 2);
    EXPECT_EQ(system->count("host_link"), 2);
    EXPECT_EQ(system->count("device_link"), 8);
    EXPECT_EQ(system->gpu_nodes(), 1);
    EXPECT_EQ(system->memory_nodes(), 1);
    EXPECT_FALSE(system->has("cxl"));
    EXPECT_FALSE(system->has("node_link"));

    const Component& gpu = system->at("gpu");
    EXPECT_DOUBLE_EQ(gpu.value("memory_capacity"), 80e9);
    EXPECT_DOUBLE_EQ(gpu.value("memory_reserved"), 0.04);
    EXPECT_DOUBLE_EQ(gpu.value("memory_bandwidth"), 2.039e12);
    EXPECT_DOUBLE_EQ(gpu.value("peak_fp16"), 312e12);
    EXPECT_DOUBLE_EQ(gpu.value("active_power"), 400);
    EXPECT_DOUBLE_EQ(gpu.value("price"), 0.761);
    const Component& pnm = system->at("pnm");
    EXPECT_DOUBLE_EQ(pnm.value("memory_capacity"), 549755813888.0);
    EXPECT_DOUBLE_EQ(pnm.value("memory_bandwidth"), 1024 * 8.533e9 / 8);
    EXPECT_DOUBLE_EQ(2 * pnm.value("multipliers") * pnm.value("clock"), 8.192e12);
    EXPECT_DOUBLE_EQ(pnm.value("controller_power"), 90);
    EXPECT_DOUBLE_EQ(pnm.value("dram_power"), 40);
    EXPECT_DOUBLE_EQ(pnm.value("platform_power"), 150);
    EXPECT_DOUBLE_EQ(pnm.value("price"), 0.266);
    EXPECT_EQ(pnm.value("digest_in_capacity"), 1.0);
    EXPECT_DOUBLE_EQ(system->at("uplink").value("bandwidth"), 128e9);
    EXPECT_DOUBLE_EQ(system->at("device_link").value("bandwidth"), 64e9);
    EXPECT_DOUBLE_EQ(system->at("host_link").value("bandwidth"), 32e9);
    EXPECT_DOUBLE_EQ(system->at("gpu_link").value("bandwidth"), 300e9);
    // 0.181 USD per 3.6 MJ; at 400 W that is the paper's 0.072 USD/h.
    const double electricity = system->at("cost").value("electricity");
    EXPECT_NEAR(400 * 3600 * electricity, 0.072, 0.0005);
    EXPECT_NEAR(150 * 3600 * electricity, 0.027, 0.0005);
}

TEST(Catalog, an_h100_differs_from_an_a100_and_inherits_the_rest) {
    const auto system = load_system("h100x4-cxl", {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_DOUBLE_EQ(system->at("gpu").value("memory_bandwidth"), 3.35e12);
    EXPECT_DOUBLE_EQ(system->at("gpu").value("peak_fp16"), 989e12);
    EXPECT_DOUBLE_EQ(system->at("gpu").value("kernel_latency"), 1.5e-6);
    EXPECT_THAT(system->at("gpu").constant("kernel_latency").where, HasSubstr("a100-80gb.yaml:"));
    EXPECT_DOUBLE_EQ(system->at("gpu_link").value("bandwidth"), 450e9);
    EXPECT_DOUBLE_EQ(system->at("host_link").value("bandwidth"), 64e9);
    EXPECT_EQ(system->count("cxl"), 4);
    EXPECT_TRUE(system->at("cxl").count_source.starts_with("assumed"));
}

TEST(Catalog, a_rack_has_sixteen_devices_per_memory_node) {
    const auto system = load_system("rack-2x8a100-pnm48", {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->count("gpu"), 16);
    EXPECT_EQ(system->gpu_nodes(), 2);
    EXPECT_EQ(system->count("pnm"), 48);
    EXPECT_EQ(system->memory_nodes(), 3);
    EXPECT_DOUBLE_EQ(system->at("node_link").value("bandwidth"), 25e9);
}

RC_GTEST_PROP(Catalog, any_counts_are_accepted, ()) {
    const int gpus = *rc::gen::inRange(1, max_count + 1);
    const int pnms = *rc::gen::inRange(1, max_count + 1);
    const auto system = load_system(fmt::format("h100x{}-pnm{}", gpus, pnms), {});
    RC_ASSERT(system.ok());
    RC_ASSERT(system->count("gpu") == gpus);
    RC_ASSERT(system->count("host_link") == gpus);
    RC_ASSERT(system->count("pnm") == pnms);
    RC_ASSERT(system->count("device_link") == pnms);
}

TEST(Catalog, impossible_counts_are_named) {
    EXPECT_EQ(error_of("a100x0"), "system 'a100x0': '0' is out of range; allowed: 1 to 4096");
    EXPECT_EQ(error_of("a100x2-pnm4097"),
              "system 'a100x2-pnm4097': '4097' is out of range; allowed: 1 to 4096");
    EXPECT_THAT(error_of("a100x99999999999999999999"), HasSubstr("is out of range"));
    EXPECT_EQ(error_of("a100x02"), "system 'a100x02': '02' has a leading zero");
    EXPECT_THAT(error_of("rack-2x8a100-pnm17"),
                HasSubstr("count '17/16' is not a whole number (in system 'rack-2x8a100-pnm17')"));
}

TEST(Catalog, an_unknown_name_gets_the_nearest_one_and_the_families) {
    const std::string message = error_of("a100x2-pmn8");
    EXPECT_THAT(message, HasSubstr("unknown system 'a100x2-pmn8'; did you mean 'a100x2-pnm8'?"));
    EXPECT_THAT(message, HasSubstr("(a100|h100)xN-pnmN"));
    EXPECT_THAT(message, HasSubstr("rack-NxNa100-cxl"));
    for (const char* name : {"", "a100", "a100x", "a100x-1", "a100x2 ", "A100x2", "a100x2-pnm",
                             "a100x2-pnm8x", "v100x2", "cent-x", "neupims-xx4", "a\nb"}) {
        EXPECT_THAT(error_of(name), HasSubstr("unknown system")) << name;
        EXPECT_THAT(error_of(name), testing::Not(HasSubstr("\n"))) << name;
    }
}

// Section 2 of the facts: the figures of a module, by hand.
TEST(Catalog, dram_pim_systems_of_any_size_have_modules_and_no_gpu) {
    for (const int modules : {1, 8, 20, 144}) {
        const auto system = load_system(fmt::format("cent-x{}", modules), {});
        ASSERT_TRUE(system.ok()) << system.error().message();
        EXPECT_EQ(system->count("pim"), modules);
        EXPECT_FALSE(system->has("gpu"));
        EXPECT_EQ(system->at("pim").value("memory_capacity"), 17'179'869'184.0);
    }
    const auto neupims = load_system("neupims-x4", {});
    ASSERT_TRUE(neupims.ok()) << neupims.error().message();
    EXPECT_EQ(neupims->at("pim").value("matrix_peak"), 256e12);
    EXPECT_EQ(neupims->at("pim").value("fc_in_banks"), 0.0);
    EXPECT_THAT(error_of("cent-x145"), HasSubstr("144 lanes are fewer than one for each of 145"));
}

TEST(Catalog, dram_pim_beside_gpus_is_reached_as_other_memory) {
    const auto system = load_system("a100x2-pim12", {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->count("gpu"), 2);
    EXPECT_EQ(system->count("pim"), 12);
    EXPECT_EQ(system->count("device_link"), 12);
    EXPECT_EQ(system->count("host_link"), 2);
    EXPECT_FALSE(system->has("pim_link"));
    EXPECT_EQ(system->at("pim").value("memory_capacity"), 17'179'869'184.0);
    EXPECT_EQ(system->at("pim").value("kernel_latency"), 1e-6);
}

TEST(Catalog, a_path_names_a_system_file) {
    const TempFolder folder;
    const std::string path = folder.write("box.yaml", testing_system::minimal_system);
    const auto system = load_system(path, {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_EQ(system->name, "box");
    EXPECT_EQ(system->count("gpu"), 2);

    EXPECT_EQ(error_of(folder.path() + "/none.yaml"), folder.path() + "/none.yaml: no such file");
    EXPECT_EQ(error_of(folder.path() + "/"), folder.path() + "/: is a directory, not a file");
}

TEST(Catalog, components_beside_the_file_come_before_the_shipped_ones) {
    const TempFolder folder;
    const std::string path =
        folder.write("box.yaml",
                     "system: box\ncomponents:\n  gpu: {use: mine}\n"
                     "  gpu_link: {use: a100-nvlink}\n  cost: {use: us-prices}\n");
    folder.write("devices/mine.yaml",
                 "kind: gpu\ninherit: h100-80gb\n"
                 "constants: {memory_capacity: {value: 1 GB, source: \"a test\"}}\n");
    auto system = load_system(path, {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_DOUBLE_EQ(system->at("gpu").value("memory_capacity"), 1e9);
    EXPECT_EQ(system->at("gpu").constant("memory_capacity").where,
              folder.path() + "/devices/mine.yaml:3");
    EXPECT_DOUBLE_EQ(system->at("gpu").value("memory_bandwidth"), 3.35e12);
    EXPECT_DOUBLE_EQ(system->at("gpu").value("kernel_latency"), 1.5e-6);

    folder.write("mine.yaml", "kind: gpu\ninherit: a100-80gb\n");
    system = load_system(path, {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    EXPECT_DOUBLE_EQ(system->at("gpu").value("memory_bandwidth"), 2.039e12);

    folder.write("a100-80gb.yaml", "kind: gpu\nconstants: {}\n");
    EXPECT_EQ(error_of(path), folder.path() +
                                  "/mine.yaml:1: 'mine' lacks the constant 'memory_capacity' "
                                  "(size: HBM of one GPU)");
}

TEST(Catalog, a_template_is_not_a_system) {
    EXPECT_THAT(error_of(std::string(MEMSIDE_SOURCE_DIR) + "/systems/server.yaml"),
                HasSubstr("server.yaml:1: describes many systems; name one of them"));
}

// Leaves the environment and the working folder as they were.
class ThisCpu : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(work_.path());
        ::setenv("XDG_CONFIG_HOME", config_.path().c_str(), 1);
    }
    void TearDown() override {
        fs::current_path(before_);
        ::unsetenv("XDG_CONFIG_HOME");
    }
    const fs::path before_ = fs::current_path();
    TempFolder work_;
    TempFolder config_;
};

TEST_F(ThisCpu, without_a_measurement_the_message_says_how_to_make_one) {
    EXPECT_EQ(error_of("this-cpu"),
              "this-cpu: this machine has not been measured: no ./this-cpu.yaml or " +
                  config_.path() +
                  "/memside/this-cpu.yaml; make one with `memside calibrate -o this-cpu.yaml`");
}

TEST_F(ThisCpu, the_working_folder_comes_before_the_configuration_folder) {
    std::string text = testing_system::minimal_system;
    config_.write("memside/this-cpu.yaml", text);
    EXPECT_EQ(load_system("this-cpu", {})->count("gpu"), 2);
    work_.write("this-cpu.yaml", text.replace(text.find("count: 2"), 8, "count: 5"));
    EXPECT_EQ(load_system("this-cpu", {})->count("gpu"), 5);
}

TEST(Catalog, the_files_of_a_system_are_its_own_and_all_that_it_uses) {
    const TempFolder folder;
    const std::string file = folder.write("box.yaml", testing_system::minimal_system);
    folder.write("a100-80gb.yaml",
                 "kind: gpu\ninherit: a100-40gb\nconstants:\n"
                 "  memory_capacity: {value: 80 GB, source: x}\n");
    std::string base;
    {
        std::ifstream in(std::string(MEMSIDE_SOURCE_DIR) + "/systems/devices/a100-80gb.yaml");
        base.assign(std::istreambuf_iterator<char>(in), {});
    }
    folder.write("a100-40gb.yaml", base);
    const auto system = load_system(file, {});
    ASSERT_TRUE(system.ok()) << system.error().message();
    std::vector<std::string> names;
    for (const std::string& path : description_files(*system)) {
        EXPECT_TRUE(fs::exists(path)) << path;
        names.push_back(fs::path(path).filename().string());
    }
    EXPECT_THAT(names, testing::IsSupersetOf({"box.yaml", "a100-80gb.yaml", "a100-40gb.yaml",
                                              "us-prices.yaml", "a100-nvlink.yaml"}));
}

}  // namespace
}  // namespace memside
