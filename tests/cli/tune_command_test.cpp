#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A space of 6 x 5 x 4 points whose times fall towards (4, 2, 1), with one failure.
std::string truth() {
    std::string text = "rows,columns,chunk,feature_area,time_ns,spread,error\n";
    for (int a = 0; a < 6; ++a) {
        for (int b = 0; b < 5; ++b) {
            for (int c = 0; c < 4; ++c) {
                const bool fails = a == 0 && b == 0 && c == 0;
                const int time = 1000 + 90 * std::abs(a - 4) + 70 * std::abs(b - 2) +
                                 (a * b) % 3 * 40 + 55 * std::abs(c - 1);
                text += fmt::format("{},{},{},{},{},0.01,{}\n", 1 << a, 1 << b, c, 1 << (a + b),
                                    fails ? "" : fmt::format("{}", time),
                                    fails ? "crashed: signal 11" : "");
            }
        }
    }
    return text;
}

TEST(TuneCommand, a_bakeoff_gives_the_same_bytes_on_any_number_of_threads) {
    const Workplace place;
    place.write("layer.csv", truth());
    const auto run = [&](const char* folder, const char* threads) {
        return place.run({"tune", "bakeoff", "--truth", "layer.csv", "--seeds", "3", "--plan", "16",
                          "--plan", "8", "--threads", threads, "--out", folder});
    };
    const Outcome one = run("a", "1");
    ASSERT_EQ(one.exit_status, 0) << one.err;
    EXPECT_EQ(run("b/c", "3").exit_status, 0);
    for (const char* name : {"runs.csv", "summary.csv", "bakeoff.json", "report.html"}) {
        const std::string text = slurp(place.path() / "a" / name);
        EXPECT_FALSE(text.empty()) << name;
        EXPECT_EQ(text, slurp(place.path() / "b/c" / name)) << name;
    }
    EXPECT_THAT(one.out, HasSubstr("distinct"));
    const auto json = nlohmann::json::parse(slurp(place.path() / "a/bakeoff.json"));
    EXPECT_EQ(json["truths"][0]["points"], 120);
    EXPECT_EQ(json["searches"].size(), 16);
    // Every search ends with the whole space at the latest.
    for (const auto& search : json["searches"]) {
        EXPECT_LE(search["trials_to_100_high"], 120) << search["method"];
    }
}

TEST(TuneCommand, the_methods_of_a_bakeoff_are_chosen_and_have_options) {
    const Workplace place;
    place.write("layer.csv", truth());
    const Outcome outcome = place.run(
        {"tune", "bakeoff", "--truth", "layer.csv", "--seeds", "2", "--methods", "annealing,random",
         "--methods", "distinct:mutations=1,apart=0", "--trials", "40", "--out", "a"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    const std::string runs = slurp(place.path() / "a/runs.csv");
    EXPECT_THAT(runs, HasSubstr("layer,\"distinct:mutations=1,apart=0\",64,2,"));
    EXPECT_EQ(std::count(runs.begin(), runs.end(), '\n'), 1 + 3 * 2);
    EXPECT_THAT(runs, testing::Not(HasSubstr("genetic")));
}

TEST(TuneCommand, bad_input_exits_2_in_one_line) {
    const Workplace place;
    place.write("layer.csv", truth());
    place.write("words.csv", "rows,time_ns\n1,soon\n");
    const std::pair<std::vector<std::string>, const char*> cases[] = {
        {{"tune", "cnv"}, "did you mean 'conv'?"},
        {{"tune", "bakeoff", "--out", "a"}, "--truth: is required"},
        {{"tune", "bakeoff", "--truth", "layer.csv"}, "--out: is required"},
        {{"tune", "bakeoff", "--truth", "none.csv", "--out", "a"}, "none.csv"},
        {{"tune", "bakeoff", "--truth", "words.csv", "--out", "a"}, "words.csv:2: time_ns: "},
        {{"tune", "bakeoff", "--truth", "layer.csv", "--methods", "anneal", "--out", "a"},
         "unknown value 'anneal'"},
        {{"tune", "bakeoff", "--truth", "layer.csv", "--methods", "grid,grid", "--out", "a"},
         "'grid' is there twice"},
        {{"tune", "bakeoff", "--truth", "layer.csv", "--noise", "2", "--out", "a"}, "--noise: "},
        {{"tune", "conv", "--target", "x86-vnni"}, "--shape: is required"},
        {{"tune", "conv", "--shape", "1,8,8,8,8,1,1,1,0", "--target", "x87"}, "--target: "},
        {{"tune", "conv", "--shape", "1,8,8", "--target", "x86-vnni"},
         "--shape: '1,8,8' has 3 numbers"},
        {{"tune", "conv", "--shape", "1,8,8,8,8,1,1,1,0", "--target", "x86-vnni", "--resume"},
         "--resume: needs --db"},
        {{"tune", "network", "--model", "alexnet", "--target", "x86-vnni"},
         "unknown network 'alexnet'"},
        {{"tune", "apply", "--db", "none.sqlite", "--out", "a"}, "none.sqlite: no such file"},
        {{"tune", "apply", "--db", "layer.csv", "--out", "a"}, "is no database of tuning results"},
    };
    for (const auto& [arguments, expected] : cases) {
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2) << outcome.err;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, StartsWith("memside tune"));
        EXPECT_THAT(outcome.err, HasSubstr(expected));
    }
    EXPECT_EQ(place.entries().size(), 2);  // nothing was made
}

TEST(TuneCommand, a_target_without_a_code_generator_says_so) {
    const Workplace place;
    const Outcome outcome =
        place.run({"tune", "conv", "--shape", "8,64,56,56,64,3,3,1,1", "--target", "cuda-sm75",
                   "--db", "t.sqlite", "--json", "r.json"});
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_EQ(outcome.err,
              "memside tune conv: cuda-sm75: this program has no code generator for convolutions "
              "on CUDA; nothing can be measured\n");
    EXPECT_TRUE(place.entries().empty());
}

}  // namespace
}  // namespace memside
