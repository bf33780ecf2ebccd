#include "tune/measure.h"

#include "tune/kernels.h"

namespace memside::tune {
namespace {

TrialResult measured(Behaviour behaviour) {
    TestMeasurer measurer;
    return measure(measurer, {behaviour}, {3, 1e4, false});
}

TEST(Measure, a_kernel_that_equals_the_reference_has_a_time) {
    const TrialResult result = measured(good);
    EXPECT_EQ(result.status, TrialStatus::ok);
    EXPECT_GT(result.time_ns, 0);
    EXPECT_EQ(result.error, "");
}

TEST(Measure, a_kernel_that_does_not_equal_the_reference_has_none) {
    const TrialResult result = measured(wrong_output);
    EXPECT_EQ(result.status, TrialStatus::wrong);
    EXPECT_EQ(result.time_ns, 0);
    EXPECT_EQ(result.error, "byte 700 is 238; the reference has 198 (1 of 1000 bytes differ)");
    EXPECT_EQ(measured(short_output).error, "the output has 999 bytes; the reference has 1000");
    // Nothing was written: what was there before is no result.
    EXPECT_EQ(measured(no_output).status, TrialStatus::wrong);
}

TEST(Measure, a_kernel_must_equal_the_reference_on_later_runs_too) {
    const TrialResult result = measured(wrong_second_run);
    EXPECT_EQ(result.status, TrialStatus::wrong);
    EXPECT_THAT(result.error, testing::StartsWith("after more runs, byte 700"));
}

TEST(Measure, a_point_that_does_not_compile_says_why) {
    const TrialResult result = measured(does_not_compile);
    EXPECT_EQ(result.status, TrialStatus::refused);
    EXPECT_EQ(result.error, "register tile: has no registers");
}

}  // namespace
}  // namespace memside::tune
