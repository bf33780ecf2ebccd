#include <filesystem>
#include <fstream>
#include <sstream>

#include "pim/timing.h"

namespace memside::pim {
namespace {

std::string shipped() {
    return std::string(MEMSIDE_SOURCE_DIR) + "/systems/timing/gddr6-aim.yaml";
}

// The message of the shipped file with one text replaced by another, without the folder.
class EditedTiming : public testing::Test {
  protected:
    void SetUp() override {
        path_ =
            std::filesystem::path(testing::TempDir()) /
            ("memside_pim_" +
             std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".yaml");
    }
    void TearDown() override { std::filesystem::remove(path_); }

    std::string error(const std::string& from, const std::string& to) {
        std::stringstream stream;
        stream << std::ifstream(shipped()).rdbuf();
        std::string text = stream.str();
        const std::size_t at = text.find(from);
        if (at == std::string::npos) return "no text " + from;
        text.replace(at, from.size(), to);
        std::ofstream(path_) << text;
        const auto timing = read_timing(path_.string());
        if (timing.ok()) return "";
        std::string message = timing.error().message();
        if (const std::size_t folder = message.find(path_.parent_path().string());
            folder != std::string::npos) {
            message.erase(folder, path_.parent_path().string().size());
        }
        return message;
    }

  private:
    std::filesystem::path path_;
};

TEST(TimingReader, reads_the_file_of_gddr6_aim) {
    const auto timing = read_timing(shipped());
    ASSERT_TRUE(timing.ok()) << timing.error().message();
    EXPECT_EQ(timing->name, "GDDR6-AiM");
    EXPECT_DOUBLE_EQ(timing->clock_ns, 0.5);
    EXPECT_EQ(timing->nRCDRDAF, 86);
    EXPECT_EQ(timing->nCLREG, 0);
    EXPECT_EQ(timing->nREFI, 3800);
}

TEST(TimingReader, notes_every_value_with_its_source) {
    const auto timing = read_timing(shipped());
    ASSERT_TRUE(timing.ok());
    EXPECT_EQ(timing->constants.size(), 32u);
    int assumed = 0;
    for (const dram::SourcedConstant& constant : timing->constants) {
        EXPECT_GT(constant.source.size(), 10u) << constant.path;
        assumed += constant.assumed();
    }
    EXPECT_EQ(assumed, 3);  // the refresh, which the public simulator does not have
}

TEST_F(EditedTiming, an_unknown_key_is_refused) {
    const std::string message = error("  nRP:", "  nRPX: {value: 3, source: aim}\n  nRP:");
    EXPECT_THAT(message, testing::HasSubstr("nRPX"));
    EXPECT_THAT(message, testing::HasSubstr(".yaml:18"));
}

TEST_F(EditedTiming, a_missing_key_is_refused) {
    EXPECT_THAT(error("  nRC: {value: 89, source: aim}\n", ""), testing::HasSubstr("'nRC'"));
}

TEST_F(EditedTiming, a_duplicate_key_is_refused) {
    const std::string message = error("  nRC:", "  nRP: {value: 3, source: aim}\n  nRC:");
    EXPECT_THAT(message, testing::HasSubstr("nRP"));
    EXPECT_THAT(message, testing::HasSubstr(".yaml:2"));
}

TEST_F(EditedTiming, a_value_without_a_source_is_refused) {
    EXPECT_THAT(error("{value: 89, source: aim}", "{value: 89}"), testing::HasSubstr("source"));
}

TEST_F(EditedTiming, a_negative_value_is_refused) {
    const std::string message = error("{value: 89,", "{value: -1,");
    EXPECT_THAT(message, testing::HasSubstr(".yaml:20"));
}

TEST_F(EditedTiming, a_clock_of_zero_is_refused) {
    EXPECT_THAT(error("value: 0.5 ns", "value: 0 ns"), testing::HasSubstr("clock"));
}

TEST(TimingReader, a_missing_file_is_an_error) {
    EXPECT_FALSE(read_timing("/nonexistent/timing.yaml").ok());
}

}  // namespace
}  // namespace memside::pim
