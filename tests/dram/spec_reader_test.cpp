#include <filesystem>
#include <fstream>
#include <sstream>

#include "dram/specs.h"

namespace memside::dram {
namespace {

std::string text_of(const std::string& name) {
    std::ifstream file(std::string(MEMSIDE_SOURCE_DIR) + "/systems/dram/" + name + ".yaml");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// Loads GDDR6's description with one text replaced by another; standards/ beside it is the shipped
// one unless `standard` replaces a text in that too.
class EditedSpec : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::path(testing::TempDir()) /
                  ("memside_dram_" +
                   std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::create_directories(folder_ / "standards");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& file, std::string text, const std::string& from,
                      const std::string& to) {
        if (const std::size_t at = text.find(from); at != std::string::npos) {
            text.replace(at, from.size(), to);
        } else if (!from.empty()) {
            ADD_FAILURE() << "no text " << from;
        }
        const std::string path = (folder_ / file).string();
        std::ofstream(path) << text;
        return path;
    }
    // The message, without the folder.
    std::string error(const std::string& path) {
        const auto spec = load_spec(path);
        if (spec.ok()) return "";
        std::string message = spec.error().message();
        if (const std::size_t at = message.find(folder_.string()); at != std::string::npos) {
            message.erase(at, folder_.string().size() + 1);
        }
        return message;
    }
    std::string edited(const std::string& from, const std::string& to) {
        write("standards/gddr6.yaml", text_of("standards/gddr6"), "", "");
        return error(write("g.yaml", text_of("gddr6-14000"), from, to));
    }
    std::string edited_standard(const std::string& from, const std::string& to) {
        write("standards/gddr6.yaml", text_of("standards/gddr6"), from, to);
        return error(write("g.yaml", text_of("gddr6-14000"), "", ""));
    }

  private:
    std::filesystem::path folder_;
};

TEST_F(EditedSpec, a_mistake_is_reported_with_its_line_and_what_is_allowed) {
    EXPECT_EQ(edited("", ""), "");
    EXPECT_THAT(
        edited("standard: gddr6", "standard: gddr5"),
        testing::MatchesRegex("g.yaml:3: unknown standard 'gddr5'; did you mean 'gddr6'.*"));
    EXPECT_THAT(
        edited("nRP: ", "nRq: "),
        testing::MatchesRegex("standards/gddr6.yaml:[0-9]+: 'nRP': unknown timing 'nRP'.*"));
    EXPECT_THAT(edited("  nREFIpb:", "  nREFIbp:"), testing::HasSubstr("did you mean 'nREFIpb'"));
    EXPECT_THAT(edited("nRAS: {value: 60", "nRAS: {value: 60.5"),
                testing::MatchesRegex("g.yaml:[0-9]+: .*"));
    EXPECT_THAT(edited("banks: {value: 4, source: preset}", "banks: {value: 3, source: preset}"),
                testing::HasSubstr("allowed: a power of two"));
    EXPECT_THAT(edited("read_pj: {value: 1920", "read_pj: {value: -1"),
                testing::HasSubstr("'-1' is not a number of at least 0"));
    EXPECT_THAT(edited("  read_pj:", "  reed_pj:"), testing::HasSubstr("did you mean 'read_pj'"));
    EXPECT_THAT(edited("0.57 ns", "0.57"), testing::HasSubstr("ns"));
    EXPECT_THAT(edited("nREFI: {value: 3333", "nREFI: {value: 400"),
                testing::HasSubstr("nREFI must be more than twice the longest rule"));
    EXPECT_THAT(edited("channel_bits: {value: 16", "channel_bits: {value: 12"),
                testing::HasSubstr("must be powers of two"));
    EXPECT_THAT(edited("rows: {value: 16384", "rows: {value: 16000"),
                testing::HasSubstr("powers of two"));
}

TEST_F(EditedSpec, a_constant_without_a_source_is_refused) {
    EXPECT_THAT(edited("nRAS: {value: 60, source: preset}", "nRAS: {value: 60}"),
                testing::HasSubstr("'nRAS' needs one of source and assumed"));
    EXPECT_THAT(edited("nRAS: {value: 60, source: preset}", "nRAS: 60"),
                testing::HasSubstr("'nRAS' is not {value: .., source: ..}"));
    EXPECT_THAT(edited("nRAS: {value: 60, source: preset}", "nRAS: {value: 60, assumed: \"\"}"),
                testing::HasSubstr("the source of 'nRAS' is empty"));
}

TEST_F(EditedSpec, a_mistake_in_the_standard_is_reported_there) {
    EXPECT_THAT(edited_standard("from: [RD]", "from: [RE]"),
                testing::MatchesRegex("standards/gddr6.yaml:9: unknown command 'RE'.*"));
    EXPECT_THAT(edited_standard("at: bank_group", "at: bankgroup"),
                testing::HasSubstr("unknown level 'bankgroup'; did you mean 'bank_group'"));
    EXPECT_THAT(edited_standard("column_bus: shared", "column_bus: both"),
                testing::HasSubstr("column_bus 'both'; allowed: shared, separate"));
    EXPECT_THAT(edited_standard("at: channel, from: [ACT], to: [PREA]",
                                "at: bank, from: [ACT], to: [PREA]"),
                testing::HasSubstr("a rule of PREA is at 'channel' or above it"));
    EXPECT_THAT(edited_standard("read_latency: nCL + nBL", "read_latency: nCL * 2"),
                testing::HasSubstr("is not a sum"));
    EXPECT_THAT(edited_standard("refresh_scope: channel", "refresh_scope: bank"),
                testing::HasSubstr("two banks"));
    EXPECT_THAT(edited_standard("column_bus: shared", "column_bus: separate\nact2_within: 8"),
                testing::HasSubstr("on a shared bus only"));
    EXPECT_THAT(edited_standard("column_bus: shared", "column_bus: shared\nbus_ticks: {ACT: 2}"),
                testing::HasSubstr("equally long on the bus"));
}

TEST(SpecReader, every_shipped_description_loads_and_names_a_source_for_each_constant) {
    for (const char* name : shipped_names) {
        const Spec spec = shipped(name);
        EXPECT_GT(spec.rules.size(), 25U) << name;
        for (const SourcedConstant& constant : spec.constants) {
            EXPECT_GE(constant.source.size(), 8U) << constant.where;
            // A key of `sources` that does not exist would show as itself.
            EXPECT_NE(constant.source.find(' '), std::string::npos) << constant.where;
        }
    }
}

TEST(SpecReader, a_short_name_of_a_source_is_spelt_out) {
    const Spec spec = shipped("gddr6-14000");
    const auto source = [&](const std::string& path) {
        for (const SourcedConstant& constant : spec.constants) {
            if (constant.path == path) return constant.source;
        }
        return std::string("none");
    };
    EXPECT_THAT(source("timing.nRAS"), testing::StartsWith("Ramulator 2.1 (commit c5b1c3a)"));
    EXPECT_THAT(source("energy.activate_pj"), testing::StartsWith("DRAMsim3 (commit 2981759)"));
    EXPECT_THAT(source("energy.activate_pj"), testing::HasSubstr("IDD5PB 45 mA, by Micron"));
    EXPECT_THAT(source("energy.read_pj"), testing::StartsWith("assumed: 7.5 pJ/bit"));
}

TEST(SpecReader, every_file_of_the_folder_is_among_the_tested_ones) {
    std::vector<std::string> names(std::begin(shipped_names), std::end(shipped_names));
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(MEMSIDE_SOURCE_DIR) + "/systems/dram")) {
        if (entry.path().extension() == ".yaml") {
            EXPECT_THAT(names, testing::Contains(entry.path().stem().string()));
        }
    }
}

TEST(SpecReader, peaks_are_pins_times_rate) {
    EXPECT_DOUBLE_EQ(shipped("lpddr5-6400").peak_bytes_per_s(), 12.8e9);
    EXPECT_DOUBLE_EQ(shipped("hbm3-6400").peak_bytes_per_s(), 51.2e9);
    EXPECT_DOUBLE_EQ(shipped("ddr5-4800").peak_bytes_per_s(), 19.2e9);
    // 1,024 pins of the CXL-PNM device: 1.09 TB/s.
    EXPECT_NEAR(64 * shipped("lpddr5x-8533").peak_bytes_per_s(), 1.0922e12, 1e8);
}

TEST(SpecReader, capacities_are_those_of_the_dies) {
    EXPECT_EQ(shipped("lpddr5-6400").channel_bytes(), std::int64_t{1} << 30);   // 8 Gb
    EXPECT_EQ(shipped("lpddr5x-8533").channel_bytes(), std::int64_t{8} << 30);  // 512 GiB / 64
    EXPECT_EQ(shipped("gddr6-14000").channel_bytes(),
              std::int64_t{1} << 29);  // 4 Gb: a channel of 8 Gb
    EXPECT_EQ(shipped("hbm2e-3200").channel_bytes(), std::int64_t{2} << 30);  // 16 Gb
    EXPECT_EQ(shipped("ddr4-3200").channel_bytes(), std::int64_t{8} << 30);   // eight of 8 Gb
    EXPECT_EQ(shipped("ddr5-4800").channel_bytes(), std::int64_t{8} << 30);   // four of 16 Gb
}

TEST(SpecReader, an_unknown_name_is_refused) {
    const auto spec = load_spec("/nowhere/x.yaml");
    ASSERT_FALSE(spec.ok());
    EXPECT_THAT(spec.error().message(), testing::HasSubstr("/nowhere/x.yaml"));
}

}  // namespace
}  // namespace memside::dram
