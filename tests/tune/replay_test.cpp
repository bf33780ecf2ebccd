#include "tune/replay.h"

#include "tune/spaces.h"

namespace memside::tune {
namespace {

std::vector<Method> methods(const std::vector<std::string>& names) {
    std::vector<Method> list;
    for (const std::string& name : names) list.push_back(*parse_method(name, "test"));
    return list;
}

// Times by hand: 200 / 100 = 50 %, 104 -> 96.2 %, 100.5 -> 99.5 %, one failure.
Truth six_points() {
    return {"six",
            listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{6})),
            {200, 104, 0, 100.5, 100, 150},
            100};
}

TEST(Replay, counts_trials_as_a_table_by_hand_does) {
    ReplayOptions options;
    options.methods = methods({"exhaustive"});
    options.plans = {1};
    options.seeds = 6;
    const auto all = replay({six_points()}, options);
    ASSERT_EQ(all.size(), 6);
    for (const Replay& one : all) {
        // First the seed's own candidate, then the others in order.
        const CandidateId first = first_batch(*six_points().candidates, one.seed, 1)[0];
        std::vector<CandidateId> order{first};
        for (CandidateId id = 0; id < 6; ++id) {
            if (id != first) order.push_back(id);
        }
        const auto trial_of = [&](const std::vector<CandidateId>& good) {
            for (std::size_t t = 0; t < order.size(); ++t) {
                if (std::find(good.begin(), good.end(), order[t]) != good.end()) return t + 1;
            }
            return std::size_t{0};
        };
        EXPECT_EQ(one.reached[0], trial_of({1, 3, 4}));
        EXPECT_EQ(one.reached[1], trial_of({3, 4}));
        EXPECT_EQ(one.reached[2], trial_of({4}));
        EXPECT_EQ(one.best_after.size(), trial_of({4}));
        EXPECT_EQ(one.best_after.back(), 1.0F);
    }
}

TEST(Replay, a_time_within_the_noise_of_the_best_is_the_best) {
    ReplayOptions options;
    options.methods = methods({"exhaustive"});
    options.plans = {6};
    options.seeds = 8;
    options.noise = 0.01;
    for (const Replay& one : replay({six_points()}, options)) {
        EXPECT_EQ(one.reached[2], one.reached[1]);
    }
}

TEST(Replay, what_a_limit_cuts_off_is_not_reached) {
    Truth truth = six_points();
    ReplayOptions options;
    options.methods = methods({"exhaustive"});
    options.plans = {1};
    options.seeds = 20;
    options.most_trials = 3;
    std::size_t missed = 0;
    for (const Replay& one : replay({truth}, options)) {
        missed += one.reached[2] ? 0U : 1U;
        EXPECT_LE(one.reached[2].value_or(0), 3);
    }
    EXPECT_GT(missed, 0);
}

TEST(Replay, quartiles_lie_between_counts_and_what_is_not_reached_is_beyond_all) {
    const Quartiles five = quartiles({9, 1, 5, 7, 3});
    EXPECT_EQ(five.low, 3);
    EXPECT_EQ(five.median, 5);
    EXPECT_EQ(five.high, 7);
    const Quartiles four = quartiles({10, std::nullopt, 20, 40});
    EXPECT_EQ(four.low, 17.5);
    EXPECT_EQ(four.median, 30);
    EXPECT_EQ(four.high, std::nullopt);
    EXPECT_EQ(quartiles({4}).high, 4);
    EXPECT_EQ(quartiles({std::nullopt, std::nullopt}).low, std::nullopt);
}

ReplaySummary summary(std::size_t truth, std::size_t method, std::optional<double> median) {
    ReplaySummary s{truth, method, 64, {}};
    s.trials[1].median = median;
    return s;
}

TEST(Replay, the_comparison_is_a_geometric_mean_over_the_hard_truths) {
    // Method 0 needs 100, 200, 800 trials; method 1 needs 10, 100, 200.
    const std::vector<ReplaySummary> summaries{summary(0, 0, 100), summary(0, 1, 10),
                                               summary(1, 0, 200), summary(1, 1, 100),
                                               summary(2, 0, 800), summary(2, 1, 200)};
    const auto all = compare(summaries, 0, 1, 128);
    ASSERT_EQ(all.size(), 2);
    EXPECT_EQ(all[0].ratio, 1.0);
    // sqrt(1/2 x 1/4); the first truth is too easy to count.
    EXPECT_NEAR(*all[1].ratio, std::sqrt(0.125), 1e-12);
    EXPECT_EQ(all[1].counted, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(compare(summaries, 0, 1, 1000)[1].ratio, std::nullopt);
}

TEST(Replay, the_number_of_threads_never_changes_the_results) {
    Truth truth{"rugged",
                listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 6, 4, 3})),
                {},
                0};
    double best = 0;
    for (CandidateId id = 0; id < truth.candidates->size(); ++id) {
        const double score = rugged_score(*truth.candidates, id);
        truth.time_ns.push_back(id % 7 == 3 ? 0 : 1 / score);
        if (id % 7 != 3) best = std::max(best, score);
    }
    truth.best_time_ns = 1 / best;
    ReplayOptions options;
    options.methods = methods({"distinct", "annealing-filter", "random", "genetic"});
    options.plans = {64, 16};
    options.seeds = 3;
    const auto run = [&](unsigned threads) {
        options.threads = threads;
        std::string text;
        for (const Replay& one : replay({truth}, options)) {
            for (const auto& reached : one.reached) {
                EXPECT_TRUE(reached.has_value());
                text += fmt::format("{} ", reached.value_or(0));
            }
        }
        return text;
    };
    EXPECT_EQ(run(1), run(5));
}

}  // namespace
}  // namespace memside::tune
