#include "kv/scores_synthetic.h"

#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <thread>

#include "kv/counter_random.h"
#include "kv/drop_out.h"
#include "kv/plain_scores.h"

namespace memside::kv {
namespace {

using test::plain;

// [steps][pages]
std::vector<std::vector<float>> steps_of(const ScoreSource& source, std::int64_t request,
                                         std::int64_t layer, int steps) {
    auto stream = source.open(request, layer);
    std::vector<std::vector<float>> scores;
    for (int step = 0; step < steps; ++step) {
        const auto next = stream->next();
        scores.emplace_back(next.begin(), next.end());
    }
    return scores;
}

double mean_of(const std::vector<float>& values) {
    double sum = 0.0;
    for (const float value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

double covariance(const std::vector<float>& a, const std::vector<float>& b) {
    const double mean_a = mean_of(a);
    const double mean_b = mean_of(b);
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum / static_cast<double>(a.size());
}

TEST(SyntheticScores, the_same_seed_gives_the_same_bytes_whatever_is_read_beside_it) {
    const SyntheticShape shape{4096, 32};
    const auto source = make_synthetic_scores({}, shape, 7);
    const auto alone = steps_of(*source, 3, 2, 6);

    // Interleaved with other streams, in another source, on another thread.
    auto other = source->open(2, 3);
    auto again = source->open(3, 2);
    std::vector<std::vector<float>> interleaved;
    for (int step = 0; step < 6; ++step) {
        other->next();
        const auto next = again->next();
        interleaved.emplace_back(next.begin(), next.end());
        other->next();
    }
    EXPECT_EQ(interleaved, alone);
    std::vector<std::vector<float>> elsewhere;
    std::thread([&] {
        elsewhere = steps_of(*make_synthetic_scores({}, shape, 7), 3, 2, 6);
    }).join();
    EXPECT_EQ(elsewhere, alone);
}

TEST(SyntheticScores, seeds_requests_and_layers_give_scores_of_their_own) {
    const SyntheticShape shape{1 << 19, 32};
    const auto first = steps_of(*make_synthetic_scores(plain(0.1), shape, 1), 0, 0, 1)[0];
    const double variance = covariance(first, first);
    const std::array<std::vector<float>, 3> others{
        steps_of(*make_synthetic_scores(plain(0.1), shape, 2), 0, 0, 1)[0],
        steps_of(*make_synthetic_scores(plain(0.1), shape, 1), 1, 0, 1)[0],
        steps_of(*make_synthetic_scores(plain(0.1), shape, 1), 0, 1, 1)[0]};
    for (const auto& other : others) {
        // Independent: the correlation of n pages has a deviation of 1/sqrt(n) = 0.0078.
        EXPECT_LT(std::abs(covariance(first, other) / variance), 4 * 0.0078);
    }
}

TEST(SyntheticScores, importance_is_normal_in_the_logarithm_with_the_given_deviation) {
    const auto scores = steps_of(*make_synthetic_scores(plain(0.1), {1 << 20, 32}, 1), 0, 0, 40);
    for (const auto& step : {scores.front(), scores.back()}) {
        const double deviation = std::sqrt(covariance(step, step));
        EXPECT_NEAR(mean_of(step), 0.0, 4 * 2.0 / std::sqrt(32768.0));
        EXPECT_NEAR(deviation, 2.0, 4 * 2.0 / std::sqrt(2 * 32768.0));
        // Normal tails: 15.87 % beyond one deviation, 2.275 % beyond two.
        const auto beyond = [&](double limit) {
            const auto count =
                std::ranges::count_if(step, [&](float score) { return score > limit; });
            return static_cast<double>(count) / static_cast<double>(step.size());
        };
        EXPECT_NEAR(beyond(2.0), 0.1587, 0.008);
        EXPECT_NEAR(beyond(4.0), 0.02275, 0.0033);
    }
}

TEST(SyntheticScores, importance_forgets_as_an_ar1_process_does) {
    const double drift = 0.3;
    const auto scores = steps_of(*make_synthetic_scores(plain(drift), {1 << 20, 32}, 5), 0, 0, 12);
    const auto pages = scores.front().size();
    for (const std::size_t lag : {1U, 2U, 5U, 10U}) {
        auto later = scores[lag];
        later.resize(pages);
        const double correlation =
            covariance(scores[0], later) /
            std::sqrt(covariance(scores[0], scores[0]) * covariance(later, later));
        EXPECT_NEAR(correlation, std::pow(1.0 - drift * drift, 0.5 * static_cast<double>(lag)),
                    4 / std::sqrt(static_cast<double>(pages)));
    }
}

TEST(SyntheticScores, without_drift_nothing_moves_and_with_drift_one_nothing_stays) {
    const auto frozen = steps_of(*make_synthetic_scores(plain(0.0), {4096, 32}, 1), 0, 0, 3);
    const std::vector<float> last(frozen[2].begin(), frozen[2].begin() + 128);
    EXPECT_EQ(last, frozen[0]);
    const auto loose = steps_of(*make_synthetic_scores(plain(1.0), {1 << 20, 32}, 1), 0, 0, 2);
    auto second = loose[1];
    second.resize(loose[0].size());
    EXPECT_NEAR(covariance(loose[0], second) / covariance(loose[0], loose[0]), 0.0, 4 * 0.0055);
}

TEST(SyntheticScores, jitter_is_noise_of_one_step_beside_the_drift) {
    SyntheticParameters parameters = plain(0.0);
    parameters.jitter = 0.5;
    const auto scores = steps_of(*make_synthetic_scores(parameters, {1 << 20, 32}, 1), 0, 0, 4);
    auto first = scores[1];
    auto second = scores[3];
    second.resize(first.size());
    // Variance 4 (1 + 0.25) of which the 4 stay.
    EXPECT_NEAR(covariance(first, first), 5.0, 0.2);
    EXPECT_NEAR(covariance(first, second), 4.0, 0.2);
}

TEST(SyntheticScores, sinks_recency_and_bursts_raise_the_pages_they_name) {
    SyntheticParameters parameters = plain(0.0);
    parameters.sigma = 0.0;
    parameters.sink_pages = 2.0;
    parameters.sink_boost = 8.0;
    parameters.recency_boost = 4.0;
    parameters.recency_half_tokens = 64.0;  // 2 pages of 32
    const auto scores = steps_of(*make_synthetic_scores(parameters, {320, 32}, 1), 0, 0, 1)[0];
    ASSERT_EQ(scores.size(), 10U);
    EXPECT_FLOAT_EQ(scores[9], 4.0F);                 // age 0
    EXPECT_FLOAT_EQ(scores[7], 2.0F);                 // age 2 pages: half
    EXPECT_FLOAT_EQ(scores[3], 1.0F);                 // age 6 pages: 4 / (1 + 3)
    EXPECT_FLOAT_EQ(scores[0], 8.0F + 8.0F / 11.0F);  // a sink of age 9

    parameters.sink_pages = 0.0;
    parameters.recency_boost = 0.0;
    parameters.burst_rate = 0.01;
    parameters.burst_steps = 5.0;
    parameters.burst_boost = 3.0;
    // On average 1 % of 32,768 pages begin a burst per step, and five such steps are under way.
    const auto bursts = steps_of(*make_synthetic_scores(parameters, {1 << 20, 32}, 1), 0, 0, 6);
    for (const auto& step : bursts) {
        EXPECT_NEAR(mean_of(step) * static_cast<double>(step.size()) / 3.0, 5 * 327.68, 5.0);
    }
    // After five steps all of them are other bursts: few pages in common (1,638 x 5 % expected).
    std::size_t common = 0;
    for (std::size_t page = 0; page < bursts[0].size(); ++page) {
        common += bursts[0][page] > 0.0F && bursts[5][page] > 0.0F ? 1U : 0U;
    }
    EXPECT_LT(common, 130U);
    // One step later four fifths are the same.
    common = 0;
    std::size_t before = 0;
    for (std::size_t page = 0; page < bursts[0].size(); ++page) {
        before += bursts[0][page] > 0.0F ? 1U : 0U;
        common += bursts[0][page] > 0.0F && bursts[1][page] > 0.0F ? 1U : 0U;
    }
    EXPECT_NEAR(static_cast<double>(common) / static_cast<double>(before), 0.8, 0.03);
}

TEST(SyntheticScores, pages_grow_with_the_context_by_a_token_a_step) {
    const auto scores = steps_of(*make_synthetic_scores({}, {95, 32}, 1), 0, 0, 35);
    EXPECT_EQ(scores[0].size(), 3U);   // 95 tokens
    EXPECT_EQ(scores[1].size(), 3U);   // 96
    EXPECT_EQ(scores[2].size(), 4U);   // 97
    EXPECT_EQ(scores[33].size(), 4U);  // 128
    EXPECT_EQ(scores[34].size(), 5U);  // 129
}

// The share of drop-outs of a stationary normal AR(1) process at a threshold t: the probability
// that y < t given that x > t, where y = rho x + sqrt(1 - rho^2) e; by Simpson's rule over x.
double drop_out_of_normal(double selected_share, double drift) {
    const auto below = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
    double threshold = 0.0;
    for (double low = -8.0, high = 8.0; high - low > 1e-12;) {
        threshold = 0.5 * (low + high);
        (1.0 - below(threshold) > selected_share ? low : high) = threshold;
    }
    const double rho = std::sqrt(1.0 - drift * drift);
    const int intervals = 20'000;
    const double width = (9.0 - threshold) / intervals;
    double sum = 0.0;
    for (int i = 0; i <= intervals; ++i) {
        const double x = threshold + width * i;
        const double density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::acos(-1.0));
        const double weight = i == 0 || i == intervals ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
        sum += weight * density * below((threshold - rho * x) / drift);
    }
    return sum * width / 3.0 / selected_share;
}

TEST(DropOut, the_rate_of_plain_drift_is_that_of_a_normal_process) {
    for (const auto& [drift, share] :
         {std::pair{0.05, 0.25}, {0.1, 0.25}, {0.3, 0.25}, {0.1, 0.0625}, {0.1, 0.5}}) {
        const auto source = make_synthetic_scores(plain(drift), {1 << 19, 32}, 3);
        DropOutOptions options;
        options.budget_pages = static_cast<std::int64_t>(share * 16384);
        options.pairs = 4;
        const double expected = drop_out_of_normal(share, drift);
        // 3 %: the innovations are sums of four uniforms, not quite normal.
        EXPECT_NEAR(*measure_drop_out(*source, options), expected, 0.03 * expected)
            << "drift " << drift << " share " << share;
    }
}

TEST(DropOut, the_rate_rises_with_the_drift) {
    double last = -1.0;
    for (const double drift : {0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0}) {
        SyntheticParameters parameters;
        parameters.drift = drift;
        DropOutOptions options;
        options.budget_pages = 256;
        const double rate =
            *measure_drop_out(*make_synthetic_scores(parameters, {1 << 15, 32}, 1), options);
        EXPECT_GT(rate, last) << "drift " << drift;
        last = rate;
    }
}

TEST(DropOut, the_drift_found_has_the_rate_that_was_wanted) {
    const SyntheticShape shape{1 << 15, 32};
    DropOutOptions options;
    options.budget_pages = 256;
    options.pinned = {1, 1};
    for (const double wanted : {0.02, 0.05, 0.2}) {
        SyntheticParameters parameters;
        parameters.drift = *drift_for_drop_out(wanted, parameters, shape, 9, options, "x");
        const double rate =
            *measure_drop_out(*make_synthetic_scores(parameters, shape, 9), options);
        // The rate moves in steps of one page in 8 pairs x 16 steps x 256.
        EXPECT_NEAR(rate, wanted, 2.0 / (8 * 16 * 256));
    }
}

TEST(DropOut, a_rate_that_no_drift_gives_is_refused_with_the_range) {
    DropOutOptions options;
    options.budget_pages = 256;
    const auto result =
        drift_for_drop_out(0.99, {}, {1 << 15, 32}, 1, options, "--set scores.drop_out");
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().message(),
                testing::MatchesRegex("--set scores.drop_out: no drift gives a drop-out rate of "
                                      "0.99; allowed here: 0\\.0[0-9]* to 0\\.[0-9]*"));
    EXPECT_EQ(result.error().exit_status(), 2);
}

TEST(SyntheticParameters, the_defaults_are_in_range_and_every_source_says_assumed) {
    for (const SyntheticParameter& parameter : synthetic_parameters()) {
        SyntheticParameters parameters;
        const double value = parameters.*parameter.member;
        EXPECT_TRUE(set_synthetic_parameter(parameters, parameter.name, value, "x").ok());
        EXPECT_TRUE(parameter.source.starts_with("assumed: ")) << parameter.name;
    }
}

TEST(SyntheticParameters, the_default_drift_drops_out_about_five_per_cent_at_a_quarter) {
    DropOutOptions options;
    options.budget_pages = 1024;
    EXPECT_NEAR(*measure_drop_out(*make_synthetic_scores({}, {1 << 17, 32}, 1), options), 0.05,
                0.005);
}

TEST(SyntheticParameters, unknown_names_and_values_out_of_range_are_refused) {
    SyntheticParameters parameters;
    EXPECT_TRUE(set_synthetic_parameter(parameters, "drift", 0.5, "--set").ok());
    EXPECT_EQ(parameters.drift, 0.5);
    EXPECT_EQ(set_synthetic_parameter(parameters, "drift", 1.5, "--set").error().message(),
              "--set: 1.5 is out of range for scores.drift; allowed: 0 to 1");
    EXPECT_EQ(
        set_synthetic_parameter(parameters, "burst_steps", 2.5, "--set").error().message(),
        "--set: 2.5 is out of range for scores.burst_steps; allowed: whole numbers 1 to 4096");
    EXPECT_EQ(set_synthetic_parameter(parameters, "drfit", 0.5, "--set").error().message(),
              "--set: unknown score parameter 'drfit'; did you mean 'drift'?");
    EXPECT_FALSE(set_synthetic_parameter(parameters, "sigma", std::nan(""), "--set").ok());
}

TEST(CounterRandom, a_pair_has_mean_zero_variance_one_and_no_correlation) {
    const int draws = 400'000;
    double sum = 0.0;
    double squares = 0.0;
    double other = 0.0;
    double product = 0.0;
    for (int i = 0; i < draws; ++i) {
        const NormalPair pair = normal_pair(random_bits(99, static_cast<std::uint64_t>(i)));
        sum += pair.sum;
        squares += static_cast<double>(pair.sum) * pair.sum;
        other += static_cast<double>(pair.difference) * pair.difference;
        product += static_cast<double>(pair.sum) * pair.difference;
    }
    const double tolerance = 4 / std::sqrt(static_cast<double>(draws));
    EXPECT_NEAR(sum / draws, 0.0, tolerance);
    EXPECT_NEAR(squares / draws, 1.0, 1.5 * tolerance);
    EXPECT_NEAR(other / draws, 1.0, 1.5 * tolerance);
    EXPECT_NEAR(product / draws, 0.0, tolerance);
}

TEST(CounterRandom, a_pair_is_symmetric_about_zero) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    EXPECT_EQ(normal_pair(0).sum, -normal_pair(all).sum);
    EXPECT_NEAR(normal_pair(all).sum, std::sqrt(12.0), 1e-4);  // 4 x 1/2 over sqrt(4 / 12)
    EXPECT_EQ(normal_pair(0xFFFFFFFF00000000).difference,
              -normal_pair(0x00000000FFFFFFFF).difference);
    EXPECT_EQ(normal_pair(all).difference, 0.0F);
}

TEST(CounterRandom, the_mixer_is_that_of_splitmix64) {
    // First outputs of SplitMix64 from state 0, as its authors' code gives them.
    EXPECT_EQ(random_bits(0, 0), 0xE220A8397B1DCDAFULL);
    EXPECT_EQ(random_bits(0, 1), 0x6E789E6AA1B965F4ULL);
}

TEST(CounterRandom, keys_depend_on_every_counter_and_on_their_order) {
    std::set<std::uint64_t> keys;
    for (std::uint64_t a = 0; a < 20; ++a) {
        for (std::uint64_t b = 0; b < 20; ++b) keys.insert(key_of({1, a, b}));
    }
    EXPECT_EQ(keys.size(), 400U);
}

}  // namespace
}  // namespace memside::kv
