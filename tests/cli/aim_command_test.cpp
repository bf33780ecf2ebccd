// memside aim as a user runs it.
#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string golden = MEMSIDE_SOURCE_DIR "/tests/pim/golden/";

void expect_bad_input(const Outcome& outcome, const std::string& says) {
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(outcome.out, "");
}

TEST(AimRun, gives_the_golden_figure_of_a_score_kernel) {
    const Workplace place;
    const Outcome outcome = place.run(
        {"aim", "run", golden + "qk_d128_t1k_ch1.aim", "--refresh", "off", "--json", "-"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    const json result = json::parse(outcome.out);
    EXPECT_EQ(result["cycles"], 6232);
    EXPECT_EQ(result["time_ns"], 3116.0);
    EXPECT_EQ(result["commands"]["MAC16"], 512);
    EXPECT_NEAR(result["mac_utilization"].get<double>(), 2.0 * 512 / 6232, 1e-12);
    double pj = 0;
    for (const json& entry : result["energy"]) pj += entry["pj"].get<double>();
    EXPECT_NEAR(pj, result["energy_pj"].get<double>(), 1e-6 * pj);
}

TEST(AimRun, refreshes_unless_told_not_to) {
    const Workplace place;
    const auto commands = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"aim", "run", golden + "qk_d128_t1k_ch1.aim", "--json", "-"};
        words.insert(words.end(), more.begin(), more.end());
        const Outcome outcome = place.run(words);
        EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
        return json::parse(outcome.out)["commands"];
    };
    EXPECT_TRUE(commands({}).contains("REFab"));
    EXPECT_EQ(commands({}), commands({"--refresh", "on"}));
    EXPECT_EQ(commands({}), commands({"--refresh", "all-bank"}));
    EXPECT_FALSE(commands({"--refresh", "off"}).contains("REFab"));
    EXPECT_TRUE(commands({"--refresh", "per-bank"}).contains("REFpb"));
}

TEST(AimRun, a_loop_costs_what_its_unrolled_instructions_cost) {
    const Workplace place;
    std::string unrolled;
    for (int row = 0; row < 6; ++row) {
        unrolled += fmt::format("AiM MAC_ABK 8 0xf {}\nAiM RD_MAC {} 0xf\n", 2 * row, row);
    }
    place.write("unrolled.aim", unrolled + "AiM EOC\n");
    place.write("loop.aim",
                "LOOP 6\n AiM MAC_ABK 8 0xf 0 row+=2\n AiM RD_MAC 0 0xf gpr+=1\nEND\nAiM EOC\n");
    const auto result = [&](const std::string& name) {
        json all = json::parse(place.run({"aim", "run", name, "--json", "-"}).out);
        all.erase("program");
        return all;
    };
    EXPECT_EQ(result("loop.aim"), result("unrolled.aim"));
}

TEST(AimRun, prints_a_summary_and_writes_a_timeline) {
    const Workplace place;
    const Outcome outcome = place.run(
        {"aim", "run", golden + "qk_d128_t1k_ch1.aim", "--refresh", "off", "--trace", "t.json"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("6,232 cycles"));
    const json trace = json::parse(slurp(place.path() / "t.json"));
    std::uint64_t macs = 0;
    for (const json& event : trace["traceEvents"]) {
        if (event["ph"] == "X" && event["cat"] == "MAC16") {
            macs += event["args"]["commands"].get<std::uint64_t>();
        }
    }
    EXPECT_EQ(macs, 512u);
}

TEST(AimRun, what_is_wrong_is_said_in_one_line) {
    const Workplace place;
    place.write("x.aim", "# head\nAiM MAC_ABK 8 1 20000\n");
    place.write("ok.aim", "AiM EOC\n");
    expect_bad_input(place.run({"aim", "run", "x.aim"}),
                     "memside aim run: x.aim:2:17: row 20000 is above 16383");
    expect_bad_input(place.run({"aim", "run", "gone.aim"}), "gone.aim");
    expect_bad_input(place.run({"aim", "run"}), "name one program");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--scheduler", "dsc"}),
                     "--scheduler: unknown value 'dsc'; did you mean 'dcs'?");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--refresh", "maybe"}), "--refresh");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--timing", "gone.yaml"}), "gone.yaml");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--from-binary"}),
                     "ok.aim: byte 0: not a binary AiM program");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--from-binary", "--from-binary"}),
                     "--from-binary: is given more than once");
    expect_bad_input(place.run({"aim", "rum"}), "unknown subcommand 'rum'; did you mean 'run'?");
    EXPECT_EQ(place.run({"aim"}).exit_status, 2);
    EXPECT_EQ(place.run({"aim", "--help"}).exit_status, 0);
    EXPECT_THAT(place.run({"aim", "run", "--help"}).out, HasSubstr("--from-binary"));
}

TEST(AimRun, outputs_appear_together_or_not_at_all) {
    const Workplace place;
    place.write("ok.aim", "AiM MAC_ABK 8 1 0\nAiM EOC\n");
    const std::string program = slurp(place.path() / "ok.aim");
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--json", "ok.aim"}), "--json");
    EXPECT_EQ(slurp(place.path() / "ok.aim"), program);
    expect_bad_input(place.run({"aim", "run", "ok.aim", "--json", "a", "--trace", "a"}),
                     "--trace: 'a' is the target of --json too");
    const Outcome failed =
        place.run({"aim", "run", "ok.aim", "--json", "a.json", "--trace", "gone/t.json"});
    EXPECT_NE(failed.exit_status, 0);
    EXPECT_THAT(place.entries(), UnorderedElementsAre("ok.aim"));
}

TEST(AimAsm, and_disasm_keep_a_program_with_its_loops) {
    const Workplace place;
    const std::string text =
        "LOOP 4\n"
        "  AiM WR_GB 8 0 0x1\n"
        "  LOOP 8\n"
        "    AiM MAC_ABK 8 0x1 3 gb=0 row+=1@2 col+=8\n"
        "  END\n"
        "END\n"
        "AiM EOC\n";
    place.write("x.aim", text);
    ASSERT_EQ(place.run({"aim", "asm", "x.aim", "-o", "x.bin"}).exit_status, 0);
    const Outcome back = place.run({"aim", "disasm", "x.bin"});
    EXPECT_EQ(back.exit_status, 0);
    EXPECT_EQ(back.out, text);
    const Outcome from_text = place.run({"aim", "run", "x.aim", "--json", "-"});
    const Outcome from_binary = place.run({"aim", "run", "x.bin", "--from-binary", "--json", "-"});
    ASSERT_EQ(from_binary.exit_status, 0) << from_binary.err;
    EXPECT_EQ(json::parse(from_text.out)["cycles"], json::parse(from_binary.out)["cycles"]);
    expect_bad_input(place.run({"aim", "run", "x.bin"}), "give --from-binary");
}

TEST(AimAsm, keeps_every_golden_trace_and_makes_it_smaller) {
    const Workplace place;
    for (const char* name : {"fuzz_all_s0", "mem_rw_rand_all32", "mix_layer_4k_ch1"}) {
        const std::string trace = golden + name + ".aim";
        ASSERT_EQ(place.run({"aim", "asm", trace, "-o", "x.bin"}).exit_status, 0);
        ASSERT_EQ(place.run({"aim", "disasm", "x.bin", "-o", "x.aim"}).exit_status, 0);
        std::string expected;
        std::istringstream lines(slurp(trace));
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty() && line[0] != '#') expected += line + '\n';
        }
        EXPECT_EQ(slurp(place.path() / "x.aim"), expected) << name;
        EXPECT_LT(3 * slurp(place.path() / "x.bin").size(), expected.size()) << name;
    }
}

TEST(AimAsm, a_broken_input_leaves_no_output) {
    const Workplace place;
    place.write("x.aim", "LOOP 4\nAiM EOC\n");
    expect_bad_input(place.run({"aim", "asm", "x.aim", "-o", "x.bin"}),
                     "x.aim:1:1: LOOP without END");
    expect_bad_input(place.run({"aim", "disasm", "x.aim", "-o", "y.aim"}), "x.aim: byte 0");
    expect_bad_input(place.run({"aim", "asm", "x.aim"}), "-o: is required");
    expect_bad_input(place.run({"aim", "asm", "x.aim", "-o", "x.aim"}), "-o");
    EXPECT_THAT(place.entries(), UnorderedElementsAre("x.aim"));
}

}  // namespace
}  // namespace memside
