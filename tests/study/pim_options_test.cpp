#include "study/pim_options.h"

namespace memside {
namespace {

Settings with(const std::vector<std::pair<std::string, std::string>>& options) {
    Settings settings;
    for (const auto& [name, value] : options) settings.put({name, value, ""});
    return settings;
}

std::string refusal(const std::vector<std::pair<std::string, std::string>>& options) {
    const auto read = read_pim_options(with(options));
    return read.ok() ? "read" : read.error().message();
}

TEST(PimOptions, defaults_are_those_of_the_command_line_s_documentation) {
    const auto options = read_pim_options({});
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options->program.partition, PimPartition::tcp);
    EXPECT_EQ(options->program.scheduler, pim::Scheduler::dcs);
    EXPECT_TRUE(options->program.row_reuse);
    EXPECT_TRUE(options->program.refresh);
    EXPECT_EQ(options->access, PimAccess::chunks);
    EXPECT_EQ(options->tp, 0);
    EXPECT_EQ(options->cache_folder, default_pim_cache_folder());
}

TEST(PimOptions, every_option_is_read) {
    const auto options = read_pim_options(with({{"partition", "hfp"},
                                                {"scheduler", "ping-pong"},
                                                {"access", "static"},
                                                {"reserve", "32K"},
                                                {"tp", "4"},
                                                {"pp", "2"},
                                                {"row-reuse", "off"},
                                                {"refresh", "off"},
                                                {"pim-cache", "off"}}));
    ASSERT_TRUE(options.ok()) << options.error().message();
    EXPECT_EQ(options->program.partition, PimPartition::hfp);
    EXPECT_EQ(options->program.scheduler, pim::Scheduler::ping_pong);
    EXPECT_FALSE(options->program.row_reuse);
    EXPECT_FALSE(options->program.refresh);
    EXPECT_EQ(options->access, PimAccess::reserved);
    EXPECT_EQ(options->reserve_tokens, 32768);
    EXPECT_EQ(options->tp, 4);
    EXPECT_EQ(options->pp, 2);
    EXPECT_EQ(options->cache_folder, "");
}

TEST(PimOptions, what_does_not_go_together_is_refused) {
    EXPECT_EQ(refusal({{"parallel", "best"}}), "read");
    EXPECT_THAT(refusal({{"parallel", "bests"}}), testing::HasSubstr("--parallel"));
    EXPECT_THAT(refusal({{"reserve", "4K"}}), testing::HasSubstr("is for --access static"));
    EXPECT_THAT(refusal({{"tp", "4"}}), testing::HasSubstr("tp and pp come together"));
    EXPECT_THAT(refusal({{"pp", "4"}}), testing::HasSubstr("tp and pp come together"));
    EXPECT_THAT(refusal({{"tp", "4"}, {"pp", "2"}, {"parallel", "best"}}),
                testing::HasSubstr("leave out"));
    EXPECT_THAT(refusal({{"tp", "0"}, {"pp", "2"}}), testing::HasSubstr("--tp"));
    EXPECT_THAT(refusal({{"scheduler", "fifo"}}), testing::HasSubstr("--scheduler"));
}

}  // namespace
}  // namespace memside
