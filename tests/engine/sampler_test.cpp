#include "engine/sampler.h"

#include <cmath>

namespace memside::engine {
namespace {

std::vector<double> frequencies(const SamplerOptions& options, const std::vector<float>& logits,
                                int draws) {
    Sampler sampler(options);
    std::vector<double> counts(logits.size());
    for (int i = 0; i < draws; ++i) ++counts[static_cast<std::size_t>(sampler.next(logits))];
    for (double& count : counts) count /= draws;
    return counts;
}

TEST(Sampler, temperature_zero_takes_the_first_of_the_largest_logits) {
    Sampler sampler({});
    EXPECT_EQ(sampler.next(std::vector<float>{1, 5, 5, -2}), 1);
    EXPECT_EQ(sampler.next(std::vector<float>{NAN, -3, -4}), 1);
    EXPECT_EQ(sampler.next(std::vector<float>{-HUGE_VALF, -HUGE_VALF}), 0);
}

TEST(Sampler, tokens_come_as_often_as_softmax_at_the_temperature_says) {
    SamplerOptions options;
    options.temperature = 0.5;
    const std::vector<float> logits{0, 1, 2, -HUGE_VALF};
    const auto got = frequencies(options, logits, 20000);
    const double sum = 1 + std::exp(2) + std::exp(4);
    // Five standard deviations of 20,000 draws are below 0.018.
    EXPECT_NEAR(got[0], 1 / sum, 0.018);
    EXPECT_NEAR(got[1], std::exp(2) / sum, 0.018);
    EXPECT_NEAR(got[2], std::exp(4) / sum, 0.018);
    EXPECT_EQ(got[3], 0.0);
}

TEST(Sampler, top_k_and_top_p_leave_the_most_likely_tokens) {
    SamplerOptions options;
    options.temperature = 1.0;
    // Probabilities 0.1, 0.4, 0.3, 0.2.
    const std::vector<float> logits{std::log(0.1F), std::log(0.4F), std::log(0.3F), std::log(0.2F)};
    options.top_k = 2;
    auto got = frequencies(options, logits, 20000);
    EXPECT_EQ(got[0] + got[3], 0.0);
    EXPECT_NEAR(got[1], 4.0 / 7, 0.018);
    options.top_k = 0;
    options.top_p = 0.75;  // 0.4 + 0.3 do not reach it
    got = frequencies(options, logits, 20000);
    EXPECT_EQ(got[0], 0.0);
    EXPECT_NEAR(got[3], 2.0 / 9, 0.018);
    options.top_p = 1e-9;
    EXPECT_EQ(frequencies(options, logits, 100)[1], 1.0);
}

TEST(Sampler, the_same_seed_draws_the_same_tokens_and_another_one_others) {
    const std::vector<float> logits(1000, 0.0F);
    const auto draw = [&](std::uint64_t seed) {
        Sampler sampler({1.0, 0, 1.0, seed});
        std::vector<std::int32_t> tokens;
        for (int i = 0; i < 20; ++i) tokens.push_back(sampler.next(logits));
        return tokens;
    };
    EXPECT_EQ(draw(1), draw(1));
    EXPECT_NE(draw(1), draw(2));
}

TEST(Sampler, options_out_of_range_are_refused_by_name) {
    SamplerOptions options;
    options.top_p = 0.0;
    EXPECT_THAT(check_sampler(options).error().message(), testing::HasSubstr("--top-p"));
    options.top_p = 1.0;
    options.temperature = -1.0;
    EXPECT_THAT(check_sampler(options).error().message(), testing::HasSubstr("--temperature"));
}

}  // namespace
}  // namespace memside::engine
