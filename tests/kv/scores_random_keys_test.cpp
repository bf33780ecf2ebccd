#include "kv/scores_random_keys.h"

#include <cmath>

#include "kv/drop_out.h"

namespace memside::kv {
namespace {

RandomKeysShape shape_of(int group, int head_dim = 64) {
    return {64 * 512, 64, 1, group, head_dim, DigestKind::minmax, ValueType::f16};
}

std::vector<float> step_of(const ScoreSource& source, std::int64_t layer, int step) {
    auto stream = source.open(0, layer);
    std::vector<float> scores;
    for (int i = 0; i <= step; ++i) {
        const auto next = stream->next();
        scores.assign(next.begin(), next.end());
    }
    return scores;
}

TEST(RandomKeysTest, pages_grow_with_the_context) {
    const auto source = make_random_key_scores({127, 64, 1, 4, 16}, 1);
    EXPECT_EQ(step_of(*source, 0, 0).size(), 2U);
    EXPECT_EQ(step_of(*source, 0, 1).size(), 2U);
    EXPECT_EQ(step_of(*source, 0, 2).size(), 3U);
}

TEST(RandomKeysTest, a_seed_gives_the_same_scores_and_another_other_ones) {
    const auto first = make_random_key_scores(shape_of(4), 1);
    EXPECT_EQ(step_of(*first, 3, 2), step_of(*make_random_key_scores(shape_of(4), 1), 3, 2));
    EXPECT_NE(step_of(*first, 3, 2), step_of(*make_random_key_scores(shape_of(4), 2), 3, 2));
    EXPECT_NE(step_of(*first, 3, 2), step_of(*first, 4, 2));
}

// The box of 64 random keys is nearly [-0.5, 0.5] in every channel, so scores are near half of the
// sum of the queries' magnitudes.
TEST(RandomKeysTest, scores_lie_below_those_of_the_largest_box) {
    const auto source = make_random_key_scores(shape_of(1), 1);
    const std::vector<float> scores = step_of(*source, 0, 0);
    const auto [low, high] = std::ranges::minmax(scores);
    const double expected = 0.5 * 64.0 * std::sqrt(2.0 / 3.14159265);
    EXPECT_NEAR(high, expected, 0.25 * expected);
    EXPECT_GT(low, 0.9F * high);
}

// By hand: parts p = q+ and n = q- of normal queries have mean m = 0.399 and variance 0.341, of
// their mean over a group that over g. Scores are sums over p and n, whose products with those of
// an independent step correlate by m^2 / (m^2 + 0.341 / g).
TEST(RandomKeysTest, scores_of_successive_steps_correlate_as_the_group_says) {
    for (const int group : {1, 4, 7}) {
        const auto source = make_random_key_scores(shape_of(group), 1);
        double correlation = 0.0;
        constexpr int pairs = 24;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::vector<float> a = step_of(*source, pair, 0);
            const std::vector<float> b = step_of(*source, pair, 1);
            // The page that is being written is no page like the others.
            const std::size_t count = a.size() - 1;
            double mean_a = 0.0, mean_b = 0.0, ab = 0.0, aa = 0.0, bb = 0.0;
            for (std::size_t i = 0; i < count; ++i) {
                mean_a += a[i] / static_cast<double>(count);
                mean_b += b[i] / static_cast<double>(count);
            }
            for (std::size_t i = 0; i < count; ++i) {
                ab += (a[i] - mean_a) * (b[i] - mean_b);
                aa += (a[i] - mean_a) * (a[i] - mean_a);
                bb += (b[i] - mean_b) * (b[i] - mean_b);
            }
            correlation += ab / std::sqrt(aa * bb) / pairs;
        }
        const double mean = 1.0 / std::sqrt(2.0 * 3.14159265);
        const double variance = 0.5 - mean * mean;
        EXPECT_NEAR(correlation, mean * mean / (mean * mean + variance / group), 0.04) << group;
    }
}

}  // namespace
}  // namespace memside::kv
