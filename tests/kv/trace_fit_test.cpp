#include "kv/trace_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kv/simplex_search.h"

namespace memside::kv {
namespace {

constexpr SyntheticShape shape{std::int64_t{16384}, 32};
const std::vector<std::int64_t> budgets{32, 64, 128};

SyntheticParameters known() {
    SyntheticParameters parameters;
    parameters.sigma = 1.7;
    parameters.drift = 0.3;
    parameters.jitter = 0.25;
    parameters.persistence = 0.7;
    parameters.drift_spread = 0.0;
    parameters.sink_boost = 5.0;
    parameters.recency_boost = 2.0;
    parameters.recency_half_tokens = 256.0;
    parameters.burst_rate = 0.0;
    return parameters;
}

// As if recorded, with numbers of its own.
TraceStatistics trace_of(const SyntheticParameters& parameters, TraceWindow window = {0, 200}) {
    const auto source = make_synthetic_scores(parameters, shape, 99);
    return mean_statistics(trace_statistics(*source, all_streams(1, 6), window, budgets, 2));
}

TEST(SimplexSearch, finds_the_bottom_of_a_curved_valley) {
    // Rosenbrock's function, least at (1, 1).
    const SimplexResult found = simplex_search(
        [](const std::vector<double>& x) {
            return 0.01 + std::pow(1.0 - x[0], 2) + 100.0 * std::pow(x[1] - x[0] * x[0], 2);
        },
        {-1.2, 1.0}, {0.5, 0.5}, 400);
    EXPECT_NEAR(found.at[0], 1.0, 0.05);
    EXPECT_NEAR(found.at[1], 1.0, 0.1);
    EXPECT_LE(found.evaluations, 404);
}

TEST(TraceFit, closed_forms_are_near_the_parameters_of_a_synthetic_trace) {
    const SyntheticParameters expected = known();
    const SyntheticParameters found = closed_form_parameters(trace_of(expected), 32);
    EXPECT_NEAR(found.sigma, expected.sigma, 0.15);
    EXPECT_NEAR(found.drift, expected.drift, 0.06);
    EXPECT_NEAR(found.jitter, expected.jitter, 0.05);
    EXPECT_NEAR(found.persistence, expected.persistence, 0.07);
    EXPECT_NEAR(found.sink_boost, expected.sink_boost, 1.5);
    EXPECT_NEAR(found.recency_boost, expected.recency_boost, 0.8);
}

TEST(TraceFit, a_fit_recovers_a_synthetic_trace_and_its_later_steps) {
    const SyntheticParameters expected = known();
    const TraceStatistics seen = trace_of(expected);
    FitOptions options;
    options.shape = shape;
    options.synthetic_streams = 4;
    options.evaluations = 120;
    const TraceFit fit = fit_synthetic(seen, options);
    EXPECT_LE(fit.distance, fit.start_distance);
    EXPECT_LT(fit.distance, 0.06);
    EXPECT_NEAR(fit.parameters.sigma, expected.sigma, 0.25);
    EXPECT_NEAR(fit.parameters.persistence, expected.persistence, 0.1);
    EXPECT_NEAR(fit.parameters.drift, expected.drift, 0.1);
    EXPECT_NEAR(fit.parameters.jitter, expected.jitter, 0.1);
    // Later steps, which the fit has not seen, and other random numbers.
    FitOptions fresh = options;
    fresh.seed = 5;
    const TraceStatistics later = trace_of(expected, {200, 200});
    EXPECT_LT(statistics_distance(later, synthetic_statistics(fit.parameters, later, fresh)), 0.1);
}

TEST(TraceFit, the_same_seed_gives_the_same_fit_on_any_number_of_threads) {
    const TraceStatistics seen = trace_of(known(), {0, 40});
    FitOptions options;
    options.shape = shape;
    options.synthetic_streams = 2;
    options.evaluations = 20;
    options.threads = 1;
    const TraceFit one = fit_synthetic(seen, options);
    options.threads = 3;
    const TraceFit three = fit_synthetic(seen, options);
    EXPECT_EQ(one.distance, three.distance);
    EXPECT_EQ(one.parameters.drift, three.parameters.drift);
    EXPECT_EQ(one.parameters.burst_rate, three.parameters.burst_rate);
}

TEST(TraceFit, a_figure_that_is_a_tenth_off_is_at_a_distance_of_a_tenth) {
    const TraceStatistics seen = trace_of(known(), {0, 40});
    EXPECT_EQ(statistics_distance(seen, seen), 0.0);
    EXPECT_NEAR((FittedFigure{"mass", 1, 0.5, 0.55}.error()), std::log(1.1), 1e-3);
    EXPECT_NEAR((FittedFigure{"drop_out_rate", 1, 0.0, 0.0005}.error()), std::log(1.5), 0.01);
}

TEST(TraceFit, with_all_of_the_variance_lasting_nothing_moves) {
    SyntheticParameters frozen = known();
    frozen.persistence = 1.0;
    frozen.jitter = 0.0;
    const TraceStatistics still = trace_of(frozen, {0, 40});
    EXPECT_NEAR(still.correlation[4], 1.0, 1e-6);
    EXPECT_NEAR(still.sigma, frozen.sigma, 0.15);
}

}  // namespace
}  // namespace memside::kv
