#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A data folder whose experiments are the test's own.
class ExperimentCommand : public testing::Test {
  protected:
    ExperimentCommand() {
        namespace fs = std::filesystem;
        for (const char* folder : {"systems", "models"}) {
            fs::create_directory_symlink(fs::path(MEMSIDE_SOURCE_DIR) / folder,
                                         place.path() / folder);
        }
        fs::create_directories(place.path() / "experiments/expected");
        place.write("experiments/demo.yaml",
                    "experiment: demo\ntitle: A demonstration\nfigure: made up\n"
                    "base: {model: llama-3.1-8b, system: a100x1-pnm1, policy: pnm-kv}\n"
                    "grid: {context: [32K, 64K]}\nquick: [{context: 32K}]\n"
                    "columns: {batch: batch, tpot_s: step}\n"
                    "charts: [{title: Batch, unit: requests, columns: [batch]}]\n"
                    "tolerance: {relative: 0.1 %, reason: a test}\n");
        place.write("experiments/stated.csv",
                    "experiment,claim,column,pick,where,stated,unit,source\n"
                    "demo,a batch,batch,largest,,77,requests,page 7\n");
        ::setenv("MEMSIDE_DATA", place.path().c_str(), 1);
    }
    ~ExperimentCommand() override { ::unsetenv("MEMSIDE_DATA"); }

    Workplace place;
};

TEST_F(ExperimentCommand, lists_and_runs_and_shows_what_was_stated) {
    EXPECT_EQ(place.run({"experiment", "list"}).out, "demo\n");
    EXPECT_EQ(place.run({"list", "experiments"}).out, "demo\n");
    const Outcome first = place.run({"experiment", "run", "demo", "--out", "a"});
    EXPECT_EQ(first.exit_status, 1);
    EXPECT_THAT(first.err, HasSubstr("there are no expected figures"));
    EXPECT_THAT(first.out, HasSubstr("a batch"));
    EXPECT_THAT(first.out, HasSubstr("77"));
    std::filesystem::copy(place.path() / "a/demo.csv", place.path() / "experiments/expected");
    const Outcome second = place.run({"experiment", "run", "demo", "--out", "b"});
    EXPECT_EQ(second.exit_status, 0) << second.err;
    EXPECT_THAT(second.out, HasSubstr("2 points; the figures are the expected ones"));
    EXPECT_EQ(slurp(place.path() / "a/demo.html"), slurp(place.path() / "b/demo.html"));
    EXPECT_THAT(slurp(place.path() / "b/demo.html"), HasSubstr("page 7"));
    EXPECT_EQ(place.run({"experiment", "run", "demo", "--quick", "--out", "c"}).exit_status, 0);
}

TEST_F(ExperimentCommand, a_figure_outside_the_tolerance_exits_1_and_is_named) {
    EXPECT_EQ(place.run({"experiment", "run", "all", "--out", "a"}).exit_status, 1);
    std::string table = slurp(place.path() / "a/demo.csv");
    const std::size_t batch = table.find("\n64K,") + 5;
    table = fmt::format("{}1{}", table.substr(0, batch), table.substr(batch));
    std::filesystem::create_directory(place.path() / "e");
    place.write("e/demo.csv", table);
    const Outcome outcome =
        place.run({"experiment", "run", "all", "--out", "b", "--expected", "e"});
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("demo.csv: context 64K: batch is "));
    EXPECT_THAT(outcome.err, HasSubstr("1 figure is not within 0.1 % of e"));
    // A quick run does not have that point.
    const Outcome quick =
        place.run({"experiment", "run", "all", "--quick", "--out", "b", "--expected", "e"});
    EXPECT_EQ(quick.exit_status, 0) << quick.err;
}

TEST_F(ExperimentCommand, what_is_wrong_exits_2_in_one_line) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"experiment"},
             {"experiment", "run"},
             {"experiment", "run", "dem", "--out", "a"},
             {"experiment", "run", "demo"},
             {"experiment", "walk", "demo", "--out", "a"},
             {"experiment", "run", "demo", "--out", "experiments/expected"}}) {
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
    }
    EXPECT_THAT(place.run({"experiment", "run", "dem", "--out", "a"}).err,
                HasSubstr("did you mean 'demo'?"));
    place.write("experiments/demo.yaml", "experiment: demo\ntitel: x\n");
    EXPECT_THAT(place.run({"experiment", "run", "demo", "--out", "a"}).err,
                HasSubstr("demo.yaml:2: unknown key 'titel'"));
}

TEST(ExplainCommand, reads_what_simulate_wrote_and_refuses_the_rest) {
    const Workplace place;
    EXPECT_EQ(place
                  .run({"simulate", "--model", "llama-3.1-8b", "--system", "a100x1-pnm2",
                        "--policy", "png-kv", "--context", "128K", "--set",
                        "gpu.memory_bandwidth=3 TB/s", "--json", "r.json"})
                  .exit_status,
              0);
    const Outcome good = place.run({"explain", "r.json"});
    EXPECT_EQ(good.exit_status, 0) << good.err;
    EXPECT_EQ(good.err, "");
    EXPECT_THAT(good.out, StartsWith("llama-3.1-8b, a100x1-pnm2, png-kv: batch 62, "));
    EXPECT_THAT(good.out, HasSubstr("pnm.count x 2"));
    for (const char* text : {"", "{", "[]", "{\"version\": \"1\"}"}) {
        place.write("bad.json", text);
        const Outcome bad = place.run({"explain", "bad.json"});
        EXPECT_EQ(bad.exit_status, 2);
        EXPECT_TRUE(bad.one_line()) << bad.err;
        EXPECT_THAT(bad.err, StartsWith("memside explain: bad.json: "));
    }
    EXPECT_EQ(place.run({"explain", "missing.json"}).exit_status, 2);
    EXPECT_EQ(place.run({"explain"}).exit_status, 2);
}

}  // namespace
}  // namespace memside
