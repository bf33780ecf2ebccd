#include "calibrate/attention_fit.h"

#include <rapidcheck/gtest.h>

namespace memside::calibrate {
namespace {

TEST(AttentionFitTest, times_of_the_model_give_its_constants_back) {
    const AttentionTimes truth{6, 0.05e-9, 0.03e-9, 0.4e-9, 0.0};
    const AttentionTimes found = fit_attention(
        [&](int dim, int rows) { return truth.page_s(probe_page_tokens, dim, rows); });
    EXPECT_EQ(found.rows_per_pass, 6);
    EXPECT_NEAR(found.read_s, truth.read_s, 1e-15);
    EXPECT_NEAR(found.multiply_s, truth.multiply_s, 1e-15);
    EXPECT_NEAR(found.softmax_s, truth.softmax_s, 1e-15);
    EXPECT_LT(found.error, 1e-6);
}

TEST(AttentionFitTest, a_page_takes_what_its_parts_sum_to) {
    const AttentionTimes times{4, 1.0, 2.0, 3.0, 0.0};
    // 10 tokens x (8 dimensions x (2 passes x 1 + 5 heads x 2) + 5 heads x 3).
    EXPECT_DOUBLE_EQ(times.page_s(10, 8, 5), 10.0 * (8.0 * 12.0 + 15.0));
}

TEST(AttentionFitTest, no_constant_is_negative_whatever_was_measured) {
    rc::check([] {
        std::map<std::pair<int, int>, double> measured;
        for (const int dim : attention_dims) {
            for (const int rows : attention_rows) {
                measured[{dim, rows}] = *rc::gen::inRange(100, 10000) * 1e-9;
            }
        }
        const AttentionTimes found =
            fit_attention([&](int dim, int rows) { return measured[std::pair(dim, rows)]; });
        RC_ASSERT(found.read_s >= 0.0);
        RC_ASSERT(found.multiply_s >= 0.0);
        RC_ASSERT(found.softmax_s >= 0.0);
        RC_ASSERT(found.read_s + found.multiply_s + found.softmax_s > 0.0);
    });
}

TEST(AttentionFitTest, overlap_is_the_share_that_is_hidden) {
    // 3 s of arithmetic, 2 s of reading: 3 s when all is hidden, 5 s when nothing is.
    EXPECT_DOUBLE_EQ(fit_overlap({{3.0, 2.0, 3.0}}), 1.0);
    EXPECT_DOUBLE_EQ(fit_overlap({{3.0, 2.0, 5.0}}), 0.0);
    EXPECT_DOUBLE_EQ(fit_overlap({{3.0, 2.0, 4.0}, {2.0, 4.0, 5.0}}), 0.5);
    EXPECT_DOUBLE_EQ(fit_overlap({{3.0, 2.0, 9.0}}), 0.0);
}

}  // namespace
}  // namespace memside::calibrate
