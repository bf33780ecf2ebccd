#include "kv/selection_run.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>

#include "kv/fixed_scores.h"
#include "kv/random_scores.h"
#include "kv/scores_synthetic.h"

namespace memside::kv {
namespace {

SelectionRunOptions options_of(std::string_view policy, std::int64_t budget, std::int64_t pool) {
    SelectionRunOptions options;
    options.budget_pages = budget;
    options.residency = &residency_variant(policy);
    options.pool_pages = pool;
    return options;
}

TEST(SelectionRun, a_run_worked_out_by_hand_has_these_counts) {
    // S[:2] of the three steps: {0, 1}, {1, 2}, {2, 3}.
    const test::FixedScores source({{9, 8, 1, 0, 0}, {5, 9, 8, 0, 0}, {0, 5, 9, 8, 4}}, 2, 3);
    auto options = options_of("recall", 2, 3);
    options.steps = 2;
    auto recall = *run_selection(source, options);
    // Pool {0, 1, 2} at first; page 2 is there, then page 3 is recalled and page 0 evicted.
    EXPECT_EQ(recall.scanned.mean, 5.0);
    EXPECT_EQ(recall.selected.mean, 2.0);
    EXPECT_EQ(recall.recalled.mean, 0.5);
    EXPECT_EQ(recall.evicted.mean, 0.5);
    EXPECT_EQ(recall.in_pool.mean, 2.0);
    EXPECT_EQ(recall.dropped_out.mean, 1.0);
    EXPECT_EQ(recall.drop_out_rate(), 0.5);

    options = options_of("steady", 2, 1);
    options.steps = 2;
    const auto steady = *run_selection(source, options);
    // Pool {0}; it drops out for 1 (9 before 8), and 1 drops out for 2.
    EXPECT_EQ(steady.recalled.mean, 1.0);
    EXPECT_EQ(steady.in_pool.mean, 1.0);

    options = options_of("none", 2, 0);
    options.steps = 2;
    const auto none = *run_selection(source, options);
    EXPECT_EQ(none.recalled.mean, 0.0);
    EXPECT_EQ(none.in_pool.mean, 0.0);
    EXPECT_EQ(none.selected.mean, 2.0);
}

TEST(SelectionRun, a_pool_that_another_micro_batch_uses_recalls_the_whole_budget) {
    const auto source = make_synthetic_scores({}, {1 << 14, 32}, 1);
    auto options = options_of("recall", 100, 120);
    options.steps = 4;
    options.pool_keeps_pages = false;
    EXPECT_EQ(run_selection(*source, options)->recalled.mean, 100.0);
}

TEST(SelectionRun, warm_up_steps_are_run_and_not_counted) {
    const test::FixedScores source({{9, 8, 1, 0, 0}, {5, 9, 8, 0, 0}, {0, 5, 9, 8, 4}}, 2, 3);
    auto options = options_of("recall", 2, 2);
    options.warmup_steps = 1;
    options.steps = 1;
    options.requests = 2;
    options.layers = 3;
    const auto result = *run_selection(source, options);
    EXPECT_EQ(result.recalled.mean, 1.0);
    EXPECT_EQ(result.pairs, 6);
    EXPECT_EQ(result.recalled.standard_error, 0.0);
}

// All pairs are the reference; a sample must lie within 3 of its own standard errors.
TEST(SelectionRun, a_sample_lies_within_three_standard_errors_of_all) {
    const auto source = make_synthetic_scores({}, {1 << 14, 32}, 1);
    auto options = options_of("recall", 128, 160);
    options.requests = 8;
    options.layers = 16;
    options.steps = 12;
    options.warmup_steps = 2;
    options.sample_pairs = 0;
    const auto all = *run_selection(*source, options);
    EXPECT_EQ(all.pairs, 128);
    EXPECT_EQ(all.recalled.standard_error, 0.0);
    EXPECT_GT(all.recalled.mean, 1.0);

    int outside_two = 0;
    for (options.seed = 1; options.seed <= 20; ++options.seed) {
        options.sample_pairs = 16;
        const auto sample = *run_selection(*source, options);
        EXPECT_EQ(sample.pairs, 16);
        const double error = std::abs(sample.recalled.mean - all.recalled.mean);
        EXPECT_GT(*sample.recalled.standard_error, 0.0);
        EXPECT_LE(error, 3.0 * *sample.recalled.standard_error) << "seed " << options.seed;
        outside_two += error > 2.0 * *sample.recalled.standard_error ? 1 : 0;
    }
    // About 1 in 16 with 15 degrees of freedom; many more would mean that the error is too small.
    EXPECT_LE(outside_two, 5);
}

TEST(SelectionRun, any_number_of_threads_gives_the_same_result) {
    const auto source = make_synthetic_scores({}, {1 << 14, 32}, 1);
    for (const char* policy : {"recall", "steady", "none"}) {
        auto options = options_of(policy, 128, 128);
        options.requests = 5;
        options.layers = 5;
        options.steps = 5;
        options.sample_pairs = 11;
        const auto one = *run_selection(*source, options);
        for (const unsigned threads : {2U, 5U, 0U}) {
            options.threads = threads;
            const auto several = *run_selection(*source, options);
            for (const auto member :
                 {&SelectionRunResult::scanned, &SelectionRunResult::selected,
                  &SelectionRunResult::recalled, &SelectionRunResult::evicted,
                  &SelectionRunResult::in_pool, &SelectionRunResult::dropped_out}) {
                EXPECT_EQ((several.*member).mean, (one.*member).mean) << policy << threads;
                EXPECT_EQ((several.*member).standard_error, (one.*member).standard_error);
            }
        }
    }
}

TEST(SelectionRun, steady_recalls_are_the_drop_outs_when_the_pool_holds_the_budget) {
    const auto source = make_synthetic_scores({}, {1 << 14, 32}, 1);
    auto options = options_of("steady", 128, 1000);
    options.requests = 4;
    options.steps = 6;
    const auto full = *run_selection(*source, options);
    EXPECT_EQ(full.recalled.mean, full.dropped_out.mean);
    EXPECT_EQ(full.in_pool.mean, 128.0);
    options.pool_pages = 20;
    const auto part = *run_selection(*source, options);
    EXPECT_EQ(part.in_pool.mean, 20.0);
    EXPECT_LT(part.recalled.mean, full.recalled.mean);
}

TEST(SelectionRun, recall_into_a_larger_pool_recalls_less) {
    const auto source = make_synthetic_scores({}, {1 << 14, 32}, 1);
    double last = 1e9;
    for (const std::int64_t pool : {128, 192, 320, 600}) {
        auto options = options_of("recall", 128, pool);
        options.requests = 4;
        options.steps = 8;
        options.warmup_steps = 8;
        const double recalled = run_selection(*source, options)->recalled.mean;
        EXPECT_LT(recalled, last) << pool;
        last = recalled;
    }
    EXPECT_LT(last, 0.5);  // every page of the context fits, but for the few that are new
}

TEST(SelectionRun, one_pair_of_several_has_no_standard_error) {
    const auto source = make_synthetic_scores({}, {1 << 12, 32}, 1);
    auto options = options_of("recall", 16, 16);
    options.requests = 4;
    options.sample_pairs = 1;
    EXPECT_FALSE(run_selection(*source, options)->recalled.standard_error.has_value());
}

TEST(SelectionRun, what_the_scores_do_not_have_is_refused) {
    const test::FixedScores source({{1}, {1}, {1}}, 2, 3);
    const auto message = [&](const SelectionRunOptions& options) {
        const auto result = run_selection(source, options);
        return result.ok() ? "ok" : result.error().message();
    };
    auto options = options_of("none", 1, 0);
    options.steps = 2;
    EXPECT_EQ(message(options), "ok");
    options.warmup_steps = 1;
    EXPECT_EQ(message(options),
              "--scores: 4 steps are needed; allowed: at most the 3 that the scores have");
    options.warmup_steps = 0;
    options.requests = 3;
    EXPECT_EQ(message(options),
              "--scores: 3 requests are needed; allowed: at most the 2 that the scores have");
    options.requests = 1;
    options.layers = 4;
    EXPECT_EQ(message(options),
              "--scores: 4 layers are needed; allowed: at most the 3 that the scores have");
    const auto small = run_selection(source, options_of("recall", 2, 1));
    ASSERT_FALSE(small.ok());
    EXPECT_EQ(small.error().exit_status(), 1);
}

RC_GTEST_PROP(Sample, draws_are_distinct_in_range_and_repeatable, ()) {
    const auto population = *rc::gen::inRange<std::int64_t>(0, 300);
    const auto count = *rc::gen::inRange<std::int64_t>(0, 320);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto sample = draw_sample(population, count, seed);
    RC_ASSERT(sample == draw_sample(population, count, seed));
    const std::set<std::int64_t> distinct(sample.begin(), sample.end());
    RC_ASSERT(distinct.size() == sample.size());
    RC_ASSERT(std::ssize(sample) == (count == 0 ? population : std::min(count, population)));
    RC_ASSERT(std::is_sorted(sample.begin(), sample.end()));
    if (!sample.empty()) RC_ASSERT(sample.front() >= 0 && sample.back() < population);
}

TEST(Sample, every_pair_is_drawn_equally_often) {
    std::vector<int> drawn(12, 0);
    const int seeds = 6000;
    for (int seed = 0; seed < seeds; ++seed) {
        for (const auto pair : draw_sample(12, 3, static_cast<std::uint64_t>(seed))) {
            ++drawn[static_cast<std::size_t>(pair)];
        }
    }
    // Binomial with p = 1/4: deviation sqrt(6000 x 3 / 16) = 34.
    for (const int count : drawn) EXPECT_NEAR(count, seeds / 4, 4 * 34);
}

}  // namespace
}  // namespace memside::kv
