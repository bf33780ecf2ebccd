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
    EXPECT_FALSE(reader.used()[0].set_by_user());
    EXPECT_THAT(reader.used()[0].where, testing::HasSubstr("systems/"));
}

TEST(ConstantReader, a_count_from_set_is_among_the_constants_and_is_no_assumption) {
    const auto system = load_system("a100x4-cxl", {{"cxl.count", "8"}});
    ASSERT_TRUE(system.ok());
    ConstantReader reader(*system);
    EXPECT_EQ(reader.count("cxl"), 8);
    ASSERT_EQ(reader.used().size(), 1u);
    EXPECT_EQ(reader.used()[0].text, "8");
    EXPECT_TRUE(reader.used()[0].set_by_user());
    EXPECT_FALSE(reader.used()[0].assumed());
}

TEST(Constant, its_source_says_what_kind_it_is) {
    const auto from = [](const char* source, const char* where) {
        return Constant{"gpu.price", "1 USD/h", 1, Dimension::usd_per_hour, source, where};
    };
    const Constant assumed = from("assumed: a derived figure would differ", "x.yaml:1");
    EXPECT_TRUE(assumed.assumed());
    EXPECT_FALSE(assumed.inferred() || assumed.set_by_user());
    for (const char* source : {"inferred: from the batch", "derived: 2 x 3"}) {
        EXPECT_TRUE(from(source, "x.yaml:1").inferred());
        EXPECT_FALSE(from(source, "x.yaml:1").assumed());
    }
    const Constant stated = from("a datasheet, where it is not assumed", "x.yaml:1");
    EXPECT_FALSE(stated.assumed() || stated.inferred() || stated.set_by_user());
    EXPECT_TRUE(from("--set", "--set").set_by_user());
}

}  // namespace
}  // namespace memside
