// memside aim on dynamic programs as a user runs it.
#include <nlohmann/json.hpp>

#include "cli/process.h"
#include "pim/dynamic/attention_program.h"
#include "pim/dynamic/dynamic_binary.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Attention of one KV head over 16 channels, with weights in the way of the cache.
std::string attention_bytes() {
    const pim::AttentionShape shape{.channels = 16, .chunk_rows = 2};
    pim::DynamicProgram program = pim::attention_program(pim::AttentionLayout(shape));
    program.regions.push_back({"weights", 101, false, 3});
    return to_binary(program);
}

struct Here : Workplace {
    Here() { write("layer.bin", attention_bytes()); }

    Outcome run_at(const std::string& tokens, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"aim",      "run",  "layer.bin", "--from-binary",
                                       "--tokens", tokens, "--json",    "-"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
};

void expect_bad_input(const Outcome& outcome, const std::string& says) {
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
}

TEST(AimDynamic, a_step_is_timed_at_every_context_from_one_file) {
    const Here place;
    std::uint64_t before = 0;
    for (const char* tokens : {"1", "4096", "131072", "1048576"}) {
        const Outcome outcome = place.run_at(tokens, {"--scheduler", "dcs"});
        ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
        const json result = json::parse(outcome.out);
        const json& dynamic = result["dynamic"];
        EXPECT_EQ(dynamic["tokens"].dump(), tokens);
        EXPECT_EQ(dynamic["program_bytes"], attention_bytes().size());
        EXPECT_EQ(
            dynamic["aim_cycles"].get<std::uint64_t>() + dynamic["hub_cycles"].get<std::uint64_t>(),
            result["cycles"].get<std::uint64_t>());
        EXPECT_GT(result["cycles"].get<std::uint64_t>(), before);
        before = result["cycles"].get<std::uint64_t>();
        EXPECT_FALSE(dynamic["hub"].empty());
    }
}

TEST(AimDynamic, the_summary_names_the_context_and_the_hub) {
    const Here place;
    const Outcome outcome =
        place.run({"aim", "run", "layer.bin", "--from-binary", "--tokens", "5000"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("one step at 5,000 tokens"));
    EXPECT_THAT(outcome.out, HasSubstr("softmax_block"));
    EXPECT_THAT(outcome.out, HasSubstr("is not modelled"));
}

TEST(AimDynamic, what_does_not_fit_the_module_is_infeasible) {
    const Here place;
    const Outcome outcome = place.run_at("99999999");
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("layer.bin at 99999999 tokens: "));
    EXPECT_THAT(outcome.err, HasSubstr("chunks are needed, 8141 are free"));
}

TEST(AimDynamic, what_is_wrong_is_said_in_one_line) {
    const Here place;
    place.write("x.aim", "AiM EOC\n");
    place.write("cut.bin", attention_bytes().substr(0, 100));
    expect_bad_input(place.run({"aim", "run", "layer.bin", "--from-binary"}), "--tokens");
    expect_bad_input(place.run({"aim", "run", "layer.bin", "--from-binary", "--tokens", "0"}),
                     "--tokens");
    expect_bad_input(place.run({"aim", "run", "x.aim", "--tokens", "5"}),
                     "--tokens: is of dynamic programs in binary form");
    expect_bad_input(place.run({"aim", "run", "layer.bin"}), "is a dynamic program");
    expect_bad_input(place.run_at("5", {"--trace", "t.json"}), "--trace");
    expect_bad_input(
        place.run({"aim", "run", "cut.bin", "--from-binary", "--tokens", "5", "--json", "-"}),
        "cut.bin: byte 8: ");
}

TEST(AimDynamic, disasm_lists_it) {
    const Here place;
    const Outcome outcome = place.run({"aim", "disasm", "layer.bin"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("DYN_LOOP span=2048"));
    EXPECT_THAT(outcome.out, HasSubstr("region 2 \"weights\" rows=3..103"));
}

}  // namespace
}  // namespace memside
