#include "system/system_spec.h"

#include "files.h"
#include "system/catalog.h"

namespace memside {
namespace {

std::vector<std::string> paths(const std::vector<Constant>& constants) {
    std::vector<std::string> names;
    for (const Constant& constant : constants) names.push_back(constant.path);
    return names;
}

TEST(SystemSpec, empty_roles_count_nothing) {
    const auto system = load_system("a100x2", {});
    ASSERT_TRUE(system.ok());
    EXPECT_EQ(system->find("pnm"), nullptr);
    EXPECT_EQ(system->count("pnm"), 0);
    EXPECT_EQ(system->memory_nodes(), 0);
    EXPECT_EQ(system->gpu_nodes(), 1);
}

TEST(ConstantReader, remembers_each_constant_once_by_path) {
    const auto system = load_system("a100x2-pnm8", {});
    ASSERT_TRUE(system.ok());
    ConstantReader reader(*system);
    EXPECT_TRUE(reader.used().empty());
    EXPECT_TRUE(reader.flag("pnm", "digest_in_capacity"));
    EXPECT_DOUBLE_EQ(reader.value("gpu", "price"), 0.761);
    EXPECT_DOUBLE_EQ(reader.value("gpu", "price"), 0.761);
    EXPECT_EQ(reader.count("pnm"), 8);
    EXPECT_EQ(reader.count("cxl"), 0);
    EXPECT_EQ(paths(reader.used()),
              (std::vector<std::string>{"gpu.price", "pnm.digest_in_capacity"}));
    EXPECT_FALSE(reader.used()[0].source.empty());
}

TEST(ConstantReader, an_assumed_count_is_among_the_constants) {
    const auto system = load_system("a100x4-cxl", {});
    ASSERT_TRUE(system.ok());
    ConstantReader reader(*system);
    EXPECT_EQ(reader.count("cxl"), 4);
    ASSERT_EQ(reader.used().size(), 1u);
    EXPECT_EQ(reader.used()[0].path, "cxl.count");
    EXPECT_EQ(reader.used()[0].text, "4");
    EXPECT_TRUE(reader.used()[0].assumed());
}

}  // namespace
}  // namespace memside
