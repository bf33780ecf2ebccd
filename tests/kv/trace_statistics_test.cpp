#include "kv/trace_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "kv/fixed_scores.h"
#include "kv/plain_scores.h"
#include "kv/scores_synthetic.h"

namespace memside::kv {
namespace {

using test::plain;

TraceStatistics of_synthetic(const SyntheticParameters& parameters, std::int64_t pages,
                             std::int64_t steps, const std::vector<std::int64_t>& budgets) {
    const auto source = make_synthetic_scores(parameters, {pages * 4096, 4096}, 11);
    return mean_statistics(trace_statistics(*source, all_streams(1, 4), {0, steps}, budgets, 2));
}

// The share of a normal distribution above x.
double above(double x) {
    return 0.5 * std::erfc(x / std::numbers::sqrt2);
}

// x with above(x) = share.
double quantile(double share) {
    double low = -10.0;
    double high = 10.0;
    for (int i = 0; i < 100; ++i) {
        const double middle = 0.5 * (low + high);
        (above(middle) > share ? low : high) = middle;
    }
    return low;
}

TEST(TraceStatistics, stays_in_the_top_set_are_counted_by_hand) {
    // Which of 4 pages is on top, budget 1; page 3 and page 0 stay for known times.
    const std::vector<int> top{3, 0, 0, 0, 1, 0, 0, 2, 2, 2, 2};
    std::vector<std::vector<float>> steps;
    for (const int page : top) {
        std::vector<float> scores(4, 0.0F);
        scores[static_cast<std::size_t>(page)] = 1.0F;
        steps.push_back(scores);
    }
    const test::FixedScores source(steps);
    const auto all = trace_statistics(source, {{0, 0}}, {0, 11}, {1}, 1);
    const BudgetStatistics& budget = all.front().budgets.front();
    // 3|000|1|00|2222: 4 changes in 10 steps.
    EXPECT_DOUBLE_EQ(budget.drop_out_rate, 0.4);
    // Stays that began inside: of 3, 1 and 2 steps, and one of at least 4.
    EXPECT_DOUBLE_EQ(budget.outlives[0], 3.0 / 4.0);               // longer than 1
    EXPECT_DOUBLE_EQ(budget.outlives[1], 3.0 / 4.0 * 2.0 / 3.0);   // than 2
    EXPECT_DOUBLE_EQ(budget.outlives[2], 0.75 * 2.0 / 3.0 * 0.5);  // than 4: nobody left after 3
    EXPECT_DOUBLE_EQ(budget.sink_selected, 5.0 / 11.0);
    EXPECT_NEAR(budget.mass, std::exp(1.0) / (std::exp(1.0) + 3.0), 1e-12);
    EXPECT_DOUBLE_EQ(budget.newest_selected, 0.25);  // all four pages are among the newest
}

TEST(TraceStatistics, a_page_has_settled_after_so_many_steps_and_may_still_drop_out) {
    std::vector<std::vector<float>> steps(40, {1.0F, 0.0F});
    steps.resize(50, {0.0F, 1.0F});
    const test::FixedScores source(steps);
    const auto all = trace_statistics(source, {{0, 0}}, {0, 50}, {1}, 1);
    // Page 0 is settled in steps 31 to 39 and out after the last; page 1 has not been in for long.
    EXPECT_DOUBLE_EQ(all.front().budgets.front().settled_drop_out, 1.0 / 9.0);
}

TEST(TraceStatistics, a_window_leaves_out_the_steps_before_it) {
    std::vector<std::vector<float>> steps(20, {1.0F, 0.0F, 0.0F});
    for (std::size_t t = 10; t < 20; ++t) steps[t] = {0.0F, t % 2 == 0 ? 1.0F : 0.5F, 0.7F};
    const test::FixedScores source(steps);
    const auto early = trace_statistics(source, {{0, 0}}, {0, 10}, {1}, 1);
    const auto late = trace_statistics(source, {{0, 0}}, {10, 10}, {1}, 1);
    EXPECT_DOUBLE_EQ(early.front().budgets.front().drop_out_rate, 0.0);
    EXPECT_DOUBLE_EQ(late.front().budgets.front().drop_out_rate, 1.0);
}

TEST(TraceStatistics, a_log_normal_importance_has_the_mass_of_the_closed_form) {
    for (const double sigma : {0.5, 1.0, 2.0}) {
        SyntheticParameters parameters = plain(0.5);
        parameters.sigma = sigma;
        const TraceStatistics found = of_synthetic(parameters, 4000, 8, {400});
        EXPECT_NEAR(found.sigma, sigma, 0.03 * sigma);
        EXPECT_NEAR(found.kurtosis, 3.0, 0.15);
        // The share above a threshold z of a log-normal's sum: above(z - sigma).
        EXPECT_NEAR(found.budgets.front().mass, above(quantile(0.1) - sigma), 0.03);
    }
}

TEST(TraceStatistics, correlation_has_a_part_that_decays_and_one_that_stays) {
    SyntheticParameters parameters = plain(0.4);
    parameters.jitter = 0.5;
    parameters.persistence = 0.6;
    const TraceStatistics found = of_synthetic(parameters, 3000, 160, {300});
    const double keep = std::sqrt(1.0 - 0.4 * 0.4);
    for (std::size_t i = 0; i < correlation_lags.size(); ++i) {
        const double kept = std::pow(keep, static_cast<double>(correlation_lags[i]));
        EXPECT_NEAR(found.correlation[i], (0.6 + 0.4 * kept) / (1.0 + 0.25), 0.02);
    }
}

TEST(TraceStatistics, stays_of_independent_steps_are_geometric) {
    // Every step draws the top quarter anew: a stay goes on with probability a quarter.
    const TraceStatistics found = of_synthetic(plain(1.0), 2000, 64, {500});
    const BudgetStatistics& budget = found.budgets.front();
    EXPECT_NEAR(budget.drop_out_rate, 0.75, 0.01);
    EXPECT_NEAR(budget.overlap, 0.25, 0.01);
    EXPECT_NEAR(budget.outlives[0], 0.25, 0.01);
    EXPECT_NEAR(budget.outlives[1], 0.0625, 0.005);
    EXPECT_NEAR(budget.outlives[2], std::pow(0.25, 4), 0.001);
}

TEST(TraceStatistics, sinks_and_new_pages_stand_out) {
    SyntheticParameters parameters = plain(0.3);
    parameters.sigma = 0.2;
    parameters.sink_pages = 1.0;
    parameters.sink_boost = 5.0;
    parameters.recency_boost = 3.0;
    parameters.recency_half_tokens = 2.0 * 4096;  // two pages
    const TraceStatistics found = of_synthetic(parameters, 2048, 16, {16});
    EXPECT_NEAR(found.sink_excess, 5.0, 0.3);
    EXPECT_NEAR(found.recency[0], 3.0, 0.2);
    EXPECT_NEAR(found.recency[1], 3.0 * 2.0 / 3.0, 0.2);                // age 1
    EXPECT_NEAR(found.recency[2], 3.0 * (2.0 / 4 + 2.0 / 5) / 2, 0.2);  // ages 2 and 3
    EXPECT_EQ(found.budgets.front().sink_selected, 1.0);
    EXPECT_GT(found.budgets.front().newest_selected, 0.9);
}

TEST(TraceStatistics, threads_do_not_change_them) {
    const auto source = make_synthetic_scores({}, {8192, 64}, 3);
    const auto one = trace_statistics(*source, all_streams(2, 3), {0, 24}, {8, 16}, 1);
    const auto three = trace_statistics(*source, all_streams(2, 3), {0, 24}, {8, 16}, 3);
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].sigma, three[i].sigma);
        EXPECT_EQ(one[i].budgets[1].drop_out_rate, three[i].budgets[1].drop_out_rate);
    }
}

}  // namespace
}  // namespace memside::kv
