#include "study/runner.h"

#include <filesystem>

#include "cli/process.h"
#include "report/json.h"
#include "study/points.h"

namespace memside {
namespace {

const std::string spec =
    "base: {model: llama-3.1-8b, context: 32K, system: a100x1-pnm1}\n"
    "grid: {policy: [recall, pnm-kv, png-kv], seed: [1, 2, 3], scores.drift: [0.05, 0.2]}\n";

std::string text_of(const std::vector<SimulationResult>& results) {
    std::string text;
    for (const SimulationResult& result : results) text += to_json(result);
    return text;
}

TEST(Runner, the_number_of_threads_never_changes_the_results) {
    const PointSet set = points_of(spec);
    RunOptions options;
    options.jobs = 1;
    const auto one = run_points(set.points, options);
    options.jobs = 7;
    const auto seven = run_points(set.points, options);
    ASSERT_TRUE(one.ok() && seven.ok());
    EXPECT_EQ(one->size(), 18);
    EXPECT_EQ(text_of(*one), text_of(*seven));
}

TEST(Runner, a_policy_that_the_system_cannot_run_is_a_row_with_its_reason) {
    const PointSet set = points_of(spec);
    const auto results = run_points(set.points, {});
    ASSERT_TRUE(results.ok());
    EXPECT_EQ(results->front().batch, 0);
    EXPECT_THAT(results->front().reason, testing::HasSubstr("'recall' cannot run on a100x1-pnm1"));
    EXPECT_GT(results->back().batch, 0);
}

TEST(Runner, a_point_is_the_simulation_of_its_settings) {
    const PointSet set = points_of(spec);
    const auto results = run_points(set.points, {});
    for (const std::size_t i : {std::size_t{7}, std::size_t{17}}) {
        const auto alone = simulate(*read_request(set.points[i].settings));
        ASSERT_TRUE(alone.ok());
        EXPECT_EQ(to_json((*results)[i]), to_json(*alone));
    }
}

// A run that was killed leaves some whole lines, in any order, and perhaps half of one.
TEST(Runner, a_run_that_was_cut_off_goes_on_to_the_same_bytes) {
    const Workplace place;
    const PointSet set = points_of(spec);
    RunOptions options;
    options.journal = place.file("points.jsonl");
    const auto whole = run_points(set.points, options);
    ASSERT_TRUE(whole.ok());
    const std::string journal = slurp(options.journal);
    std::filesystem::resize_file(options.journal, journal.size() / 2);
    options.resume = true;
    std::size_t kept = 0;
    std::size_t calls = 0;
    options.progress = [&](const RunProgress& progress) {
        kept = progress.kept;
        ++calls;
    };
    const auto again = run_points(set.points, options);
    ASSERT_TRUE(again.ok());
    EXPECT_GT(kept, 4);
    EXPECT_LT(kept, 14);
    EXPECT_EQ(calls, 1 + 18 - kept);
    EXPECT_EQ(text_of(*again), text_of(*whole));
    EXPECT_EQ(slurp(options.journal), journal);
}

TEST(Runner, without_resume_every_point_runs_again) {
    const Workplace place;
    const PointSet set = points_of(spec);
    RunOptions options;
    options.journal = place.file("points.jsonl");
    ASSERT_TRUE(run_points(set.points, options).ok());
    std::size_t kept = 99;
    options.progress = [&](const RunProgress& progress) { kept = progress.kept; };
    ASSERT_TRUE(run_points(set.points, options).ok());
    EXPECT_EQ(kept, 0);
}

TEST(Runner, a_kept_point_of_other_settings_is_not_taken) {
    const Workplace place;
    RunOptions options;
    options.journal = place.file("points.jsonl");
    ASSERT_TRUE(run_points(points_of(spec).points, options).ok());
    options.resume = true;
    std::size_t kept = 99;
    options.progress = [&](const RunProgress& progress) { kept = progress.kept; };
    ASSERT_TRUE(run_points(points_of(spec + "set: {gpu.price: 3 USD/h}\n").points, options).ok());
    EXPECT_EQ(kept, 0);
}

TEST(Runner, a_journal_that_cannot_be_written_is_an_error) {
    RunOptions options;
    options.journal = "/nowhere/points.jsonl";
    const auto results = run_points(points_of(spec).points, options);
    ASSERT_FALSE(results.ok());
    EXPECT_EQ(results.error().exit_status(), 1);
}

}  // namespace
}  // namespace memside
