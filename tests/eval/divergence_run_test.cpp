#include "eval/divergence_run.h"

#include <numeric>

#include "eval/small_model.h"
#include "eval/token_distribution.h"

namespace memside::eval {
namespace {

class DivergenceRunTest : public testing::Test {
  protected:
    DivergenceRunTest() {
        setup_.contexts = {300, 500};
        setup_.steps = 70;
    }

    std::vector<DivergenceSample> run(const test::SmallModel& model, unsigned threads = 2) {
        const Haystack haystack(*model.tokenizer, test::some_text(3000));
        EXPECT_TRUE(check_setup(setup_, haystack).ok());
        const DivergenceRun run{setup_, *model.tokenizer, haystack, policies_, {}};
        const auto decoder = model.decoder(setup_.contexts.back(), setup_.steps, threads);
        return run_passage(run, 0, *decoder).value();
    }

    DivergenceSetup setup_;
    // The second has all of the shorter context, and is not compared there.
    std::vector<engine::KvPolicy> policies_{test::selecting(64), test::selecting(304)};
};

TEST_F(DivergenceRunTest, dense_once_more_is_dense_exactly) {
    for (const char* architecture : {"llama", "gemma3"}) {
        const test::SmallModel model(architecture);
        std::size_t dense = 0;
        for (const DivergenceSample& sample : run(model)) {
            EXPECT_EQ(sample.kl.size(), static_cast<std::size_t>(setup_.steps));
            const double sum = std::accumulate(sample.kl.begin(), sample.kl.end(), 0.0);
            if (sample.policy > 0) {
                EXPECT_GT(sum, 0.0);
                EXPECT_GT(sample.cost.digest_bytes, 0);
                continue;
            }
            ++dense;
            EXPECT_EQ(sum, 0.0);
            EXPECT_EQ(sample.agreed, setup_.steps);
            EXPECT_EQ(sample.surprise, sample.dense_surprise);
            EXPECT_EQ(sample.cost.digest_bytes, 0);
        }
        EXPECT_EQ(dense, 2U);
    }
}

TEST_F(DivergenceRunTest, figures_are_those_of_decoders_that_run_one_policy_alone) {
    for (const char* architecture : {"llama", "gemma3"}) {
        const test::SmallModel model(architecture);
        const auto samples = run(model);
        // Dense twice, the first policy twice, the second once.
        ASSERT_EQ(samples.size(), 5U);
        const DivergenceSample& sample = samples.back();
        ASSERT_EQ(sample.policy, 2U);
        ASSERT_EQ(sample.context, 1U);

        // The passage again, by what it says of itself: its surprise is that of these tokens.
        const Haystack haystack(*model.tokenizer, test::some_text(3000));
        const std::int64_t places = haystack.size() - 500;
        const std::int64_t start = haystack.sentence_start(
            0, static_cast<std::int64_t>(kv::random_bits(kv::key_of({setup_.seed}), 0) %
                                         static_cast<std::uint64_t>(places)));
        const auto tokens = haystack.tokens().subspan(static_cast<std::size_t>(start), 501);
        const auto dense = model.decoder(500, 0);
        const auto selected = model.decoder(500, 0);
        for (engine::Decoder* decoder : {dense.get(), selected.get()}) {
            ASSERT_TRUE(decoder->feed(tokens.first(430)).ok());
        }
        ASSERT_TRUE(selected->set_policy(policies_[1]).ok());
        double surprised = 0.0;
        std::int64_t agreed = 0;
        for (std::size_t i = 0; i < 70; ++i) {
            const auto p = dense->feed(tokens.subspan(430 + i, 1)).value();
            const auto q = selected->feed(tokens.subspan(430 + i, 1)).value();
            EXPECT_EQ(sample.kl[i], kl_divergence(p, q)) << architecture << " step " << i;
            agreed += most_likely(p) == most_likely(q) ? 1 : 0;
            surprised += surprise(q, tokens[431 + i]);
        }
        EXPECT_EQ(sample.agreed, agreed);
        EXPECT_DOUBLE_EQ(sample.surprise, surprised);
    }
}

TEST_F(DivergenceRunTest, the_number_of_threads_changes_nothing) {
    const test::SmallModel model("llama");
    const auto one = run(model, 1);
    const auto three = run(model, 3);
    ASSERT_EQ(one.size(), three.size());
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].kl, three[i].kl);
}

TEST_F(DivergenceRunTest, what_is_wrong_with_a_setup_is_named) {
    const Haystack haystack(std::vector<engine::TokenId>(500, 1), std::vector<bool>(500, false));
    const auto refused = [&](const std::string& message) {
        const Status status = check_setup(setup_, haystack);
        ASSERT_FALSE(status.ok());
        EXPECT_THAT(status.error().message(), testing::HasSubstr(message));
    };
    refused("--text: has 500 tokens, too few for a context of 500");
    setup_.contexts = {70};
    refused("--contexts: 70 is not longer than the 70 steps");
    setup_.contexts = {300, 300};
    refused("--contexts: must ascend");
}

TEST(DivergenceTotal, percentiles_are_those_of_all_steps_of_all_passages) {
    std::vector<DivergenceSample> samples(2);
    for (int step = 0; step < 100; ++step) {
        // 1 to 100 and 101 to 200, not in order.
        samples[0].kl.push_back((step * 37) % 100 + 1);
        samples[1].kl.push_back((step * 73) % 100 + 101);
    }
    samples[0].agreed = 100;
    samples[1].agreed = 50;
    samples[1].passage = 1;
    samples[0].surprise = 200.0;
    samples[0].cost = {100, 1000, 10};
    samples[1].cost = {100, 3000, 30};
    const std::vector<DivergenceTotal> totals = add_up(samples);
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].steps, 200);
    EXPECT_EQ(totals[0].kl_mean, 100.5);
    EXPECT_EQ(totals[0].kl_p50, 100.0);
    EXPECT_EQ(totals[0].kl_p95, 190.0);
    EXPECT_EQ(totals[0].kl_p99, 198.0);
    EXPECT_EQ(totals[0].kl_max, 200.0);
    EXPECT_EQ(totals[0].top1_agreement, 0.75);
    EXPECT_EQ(totals[0].surprise, 1.0);
    EXPECT_EQ(totals[0].cost.kv_bytes_per_step(), 20.0);
    EXPECT_EQ(totals[0].cost.digest_bytes_per_step(), 0.2);
}

}  // namespace
}  // namespace memside::eval
