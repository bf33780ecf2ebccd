#include "base/median.h"

namespace memside {
namespace {

TEST(Median, is_the_middle_of_an_odd_count_in_any_order) {
    EXPECT_EQ(median({3.0}), 3.0);
    EXPECT_EQ(median({9.0, 1.0, 4.0}), 4.0);
    EXPECT_EQ(median({5.0, 5.0, 1.0, 100.0, 2.0}), 5.0);
}

TEST(Median, is_the_mean_of_the_two_in_the_middle_of_an_even_count) {
    EXPECT_EQ(median({4.0, 1.0}), 2.5);
    EXPECT_EQ(median({10.0, 1.0, 2.0, 3.0}), 2.5);
}

}  // namespace
}  // namespace memside
