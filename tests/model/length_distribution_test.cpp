#include "model/length_distribution.h"

#include <rapidcheck/gtest.h>

#include <cmath>

namespace memside {
namespace {

TEST(IncompleteBeta, is_the_closed_form_where_there_is_one) {
    for (const double x : {0.0, 1e-6, 0.1, 0.5, 0.77, 0.999999, 1.0}) {
        for (const double a : {0.3, 1.0, 2.5, 40.0}) {
            EXPECT_NEAR(incomplete_beta(a, 1.0, x), std::pow(x, a), 1e-12);
            EXPECT_NEAR(incomplete_beta(1.0, a, x), 1.0 - std::pow(1.0 - x, a), 1e-12);
        }
        EXPECT_NEAR(incomplete_beta(2.0, 2.0, x), x * x * (3.0 - 2.0 * x), 1e-12);
        EXPECT_NEAR(incomplete_beta(0.5, 0.5, x), 2.0 / M_PI * std::asin(std::sqrt(x)), 1e-12);
    }
}

RC_GTEST_PROP(IncompleteBeta, has_the_symmetry_of_its_two_tails, ()) {
    const auto parameter = [] { return 0.1 * *rc::gen::inRange(1, 200); };
    const double a = parameter();
    const double b = parameter();
    const double x = 1e-3 * *rc::gen::inRange(0, 1001);
    RC_ASSERT(std::abs(incomplete_beta(a, b, x) + incomplete_beta(b, a, 1.0 - x) - 1.0) < 1e-11);
}

// Mean and deviation of the quantiles at the middles of many equal shares.
TEST(LengthDistribution, has_the_published_mean_deviation_and_ends) {
    for (const LengthStatistics& published : length_statistics()) {
        const LengthDistribution lengths(published);
        constexpr int shares = 20000;
        double sum = 0.0;
        double squares = 0.0;
        std::int64_t before = 0;
        for (int i = 0; i < shares; ++i) {
            const std::int64_t length = lengths.quantile((i + 0.5) / shares);
            ASSERT_GE(length, before);
            before = length;
            sum += static_cast<double>(length);
            squares += std::pow(static_cast<double>(length) - published.mean_tokens, 2.0);
        }
        EXPECT_NEAR(sum / shares, published.mean_tokens, 2.0) << published.name;
        EXPECT_NEAR(std::sqrt(squares / shares), published.deviation_tokens,
                    2e-3 * published.deviation_tokens)
            << published.name;
        EXPECT_GE(lengths.quantile(0.0), published.smallest_tokens);
        EXPECT_LE(lengths.quantile(0x1.fffffffffffffp-1), published.largest_tokens);
        EXPECT_LE(published.largest_tokens, published.window_tokens);
    }
}

TEST(LengthDistribution, an_unknown_benchmark_is_refused_with_those_there_are) {
    const auto found = find_length_statistics("qasper", "--workload");
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(
        found.error().message(),
        "--workload: no lengths are known of 'qasper'; allowed: qmsum, musique, multifieldqa, "
        "loogle-sd");
}

}  // namespace
}  // namespace memside
