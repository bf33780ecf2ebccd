#include <csignal>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string spec =
    "base: {model: llama-3.1-8b, system: a100x1-pnm2}\n"
    "grid:\n  context: [32K, 64K, 128K]\n  policy: [pnm-kv, png-kv]\n  seed: [1, 2]\n";

TEST(SweepCommand, leaves_a_table_and_a_report_of_the_same_bytes_for_any_number_of_threads) {
    const Workplace place;
    place.write("s.yaml", spec);
    const Outcome one = place.run({"sweep", "s.yaml", "--out", "a", "--jobs", "1"});
    EXPECT_EQ(one.exit_status, 0) << one.err;
    EXPECT_EQ(place.run({"sweep", "s.yaml", "--out", "b/c", "--jobs", "3"}).exit_status, 0);
    for (const char* name : {"sweep.csv", "report.html", "points.jsonl"}) {
        EXPECT_FALSE(slurp(place.path() / "a" / name).empty());
        EXPECT_EQ(slurp(place.path() / "a" / name), slurp(place.path() / "b/c" / name)) << name;
    }
    EXPECT_THAT(one.out, HasSubstr("12 points: a/sweep.csv and a/report.html"));
}

TEST(SweepCommand, a_run_that_was_killed_goes_on_with_resume) {
    const Workplace place;
    std::string seeds = "1";
    for (int seed = 2; seed <= 60; ++seed) seeds += fmt::format(", {}", seed);
    place.write("s.yaml",
                "base: {model: llama-3.1-8b, system: a100x1-pnm2, policy: png-kv, "
                "context: 1M}\ngrid: {seed: [" +
                    seeds + "]}\n");
    const pid_t child = place.start({"sweep", "s.yaml", "--out", "a", "--jobs", "1"});
    const auto journal = place.path() / "a/points.jsonl";
    std::error_code code;
    for (std::uintmax_t size = 0; size < 20'000 || size == static_cast<std::uintmax_t>(-1);) {
        ::usleep(1000);
        size = std::filesystem::file_size(journal, code);
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const Outcome resumed = place.run({"sweep", "s.yaml", "--out", "a", "--resume"});
    EXPECT_EQ(resumed.exit_status, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("of 60 points are kept from an earlier run"));
    EXPECT_EQ(place.run({"sweep", "s.yaml", "--out", "b"}).exit_status, 0);
    for (const char* name : {"sweep.csv", "report.html", "points.jsonl"}) {
        EXPECT_EQ(slurp(place.path() / "a" / name), slurp(place.path() / "b" / name)) << name;
    }
}

TEST(SweepCommand, a_bad_spec_exits_2_in_one_line_before_anything_runs) {
    const Workplace place;
    place.write("s.yaml", spec + "  page-size: [32, 33]\n");
    const Outcome outcome = place.run({"sweep", "s.yaml", "--out", "a"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line());
    EXPECT_THAT(outcome.err, StartsWith("memside sweep: s.yaml:6: page-size: 33 is not a power"));
    EXPECT_FALSE(std::filesystem::exists(place.path() / "a"));
    EXPECT_EQ(place.run({"sweep", "missing.yaml", "--out", "a"}).exit_status, 2);
    EXPECT_EQ(place.run({"sweep", "--out", "a"}).exit_status, 2);
    place.write("good.yaml", spec);
    EXPECT_EQ(place.run({"sweep", "good.yaml"}).exit_status, 2);
    EXPECT_EQ(place.run({"sweep", "good.yaml", "--out", "a", "--jobs", "x"}).exit_status, 2);
}

TEST(SweepCommand, points_where_nothing_fits_are_rows) {
    const Workplace place;
    place.write("s.yaml",
                "base: {model: llama-3.1-405b, policy: pnm-kv, context: 1M}\n"
                "grid: {system: [rack-2x8a100-pnm16], page-size: [32, 64]}\n");
    const Outcome outcome = place.run({"sweep", "s.yaml", "--out", "a"});
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_THAT(outcome.out, HasSubstr("2 points, of which 1 cannot run"));
    EXPECT_THAT(slurp(place.path() / "a/sweep.csv"), HasSubstr("519.75 GiB of the 512 GiB"));
}

TEST(SweepCommand, a_folder_that_cannot_be_made_is_said_in_one_line) {
    const Workplace place;
    place.write("s.yaml", spec);
    place.write("taken", "");
    const Outcome outcome = place.run({"sweep", "s.yaml", "--out", "taken"});
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(outcome.one_line());
}

}  // namespace
}  // namespace memside
