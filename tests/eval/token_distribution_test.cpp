#include "eval/token_distribution.h"

#include <cmath>

#include <rapidcheck/gtest.h>

namespace memside::eval {
namespace {

// From probabilities, as the definition says.
double from_probabilities(const std::vector<float>& p, const std::vector<float>& q) {
    const auto softmax = [](const std::vector<float>& logits) {
        std::vector<long double> weights;
        long double sum = 0.0L;
        for (const float logit : logits) {
            weights.push_back(std::exp(static_cast<long double>(logit)));
            sum += weights.back();
        }
        for (long double& weight : weights) weight /= sum;
        return weights;
    };
    const std::vector<long double> of_p = softmax(p);
    const std::vector<long double> of_q = softmax(q);
    long double sum = 0.0L;
    for (std::size_t i = 0; i < p.size(); ++i) sum += of_p[i] * std::log(of_p[i] / of_q[i]);
    return static_cast<double>(sum);
}

TEST(TokenDistribution, a_fair_coin_and_a_loaded_one_differ_as_computed_by_hand) {
    const std::vector<float> fair{0.0F, 0.0F};
    const std::vector<float> loaded{std::log(3.0F), 0.0F};
    EXPECT_NEAR(kl_divergence(fair, loaded), 0.5 * std::log(0.5 / 0.75) + 0.5 * std::log(2.0),
                1e-7);
}

RC_GTEST_PROP(TokenDistribution, agrees_with_the_definition, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(2, 200);
    const auto logit = rc::gen::map(rc::gen::inRange(-2000, 2001), [](int hundredths) {
        return static_cast<float>(hundredths) / 100.0F;
    });
    const auto p = *rc::gen::container<std::vector<float>>(count, logit);
    const auto q = *rc::gen::container<std::vector<float>>(count, logit);
    const double expected = from_probabilities(p, q);
    RC_ASSERT(std::abs(kl_divergence(p, q) - expected) <= 1e-9 * (1.0 + expected));
    RC_ASSERT(kl_divergence(p, p) == 0.0);
}

TEST(TokenDistribution, far_logits_do_not_overflow) {
    const std::vector<float> p{1000.0F, 0.0F};
    const std::vector<float> q{0.0F, 1000.0F};
    EXPECT_NEAR(kl_divergence(p, q), 1000.0, 1e-9);
}

TEST(TokenDistribution, a_shift_of_all_logits_changes_nothing) {
    const std::vector<float> p{1.0F, 2.0F, -3.0F};
    const std::vector<float> q{101.0F, 102.0F, 97.0F};
    EXPECT_NEAR(kl_divergence(p, q), 0.0, 1e-12);
}

TEST(TokenDistribution, of_equal_logits_the_lowest_token_is_the_most_likely) {
    EXPECT_EQ(most_likely(std::vector<float>{0.0F, 2.0F, 1.0F, 2.0F}), 1);
}

}  // namespace
}  // namespace memside::eval
