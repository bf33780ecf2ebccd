#include "dram/expression.h"

namespace memside::dram {
namespace {

const TimingValues values = {{"nCL", 40}, {"nBL", 4}, {"nCWL", 20}};

TEST(Expression, a_sum_of_timings_and_clocks_is_added_up) {
    EXPECT_EQ(*evaluate("nCL", values, 1, "x"), 40);
    EXPECT_EQ(*evaluate("nCL + nBL + 2 - nCWL", values, 1, "x"), 26);
    EXPECT_EQ(*evaluate(" nCWL-nCL ", values, 1, "x"), -20);
}

TEST(Expression, a_plain_number_counts_clocks_of_several_ticks) {
    EXPECT_EQ(*evaluate("nCL + 2", values, 2, "x"), 44);
}

TEST(Expression, an_unknown_timing_is_named_with_the_nearest_one) {
    const auto result = evaluate("nCL + nCWl", values, 1, "a.yaml:3");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message(),
              "a.yaml:3: 'nCL + nCWl': unknown timing 'nCWl'; did you mean 'nCWL'?");
}

TEST(Expression, what_is_no_sum_is_refused) {
    for (const char* text : {"", "nCL +", "2 nCL", "nCL * 2", "(nCL)", "1.5", "nCL + - nBL"}) {
        const auto result = evaluate(text, values, 1, "x");
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_THAT(result.error().message(), testing::HasSubstr("is not a sum")) << text;
    }
}

}  // namespace
}  // namespace memside::dram
