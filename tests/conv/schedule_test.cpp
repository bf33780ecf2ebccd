#include "conv/schedule.h"

#include <rapidcheck/gtest.h>

#include "conv/conv_plan.h"
#include "conv/random_conv.h"

namespace memside::conv {
namespace {

using testing::HasSubstr;

ConvProblem problem_of(const char* shape) {
    ConvProblem problem;
    problem.shape = parse_shape(shape, "").value();
    return problem;
}

Schedule schedule_of(const char* text) {
    return parse_schedule(text, "").value();
}

RC_GTEST_PROP(Schedule, what_is_formatted_parses_to_the_same, ()) {
    const Schedule schedule = random_schedule();
    RC_ASSERT(parse_schedule(format_schedule(schedule), "").value() == schedule);
    RC_ASSERT(Schedule::from(schedule.knobs()) == schedule);
}

TEST(Schedule, a_misspelt_a_missing_and_a_doubled_knob_are_refused) {
    EXPECT_THAT(parse_schedule("pixles=4", "--schedule").error().message(),
                HasSubstr("did you mean 'pixels'"));
    EXPECT_THAT(parse_schedule("pixels=4", "--schedule").error().message(),
                HasSubstr("tile_rows is missing"));
    EXPECT_THAT(parse_schedule("pixels=4 pixels=4", "--schedule").error().message(),
                HasSubstr("given twice"));
    EXPECT_THAT(parse_schedule("pixels", "--schedule").error().message(),
                HasSubstr("not KNOB=VALUE"));
}

RC_GTEST_PROP(Schedule, canonical_is_idempotent_and_keeps_validity, ()) {
    const ConvProblem problem = random_problem();
    RC_PRE(check(problem, "").ok());
    const Target target = random_target();
    const Schedule schedule = random_schedule();
    const Schedule once = canonical(problem, target, schedule);
    RC_ASSERT(canonical(problem, target, once) == once);
    RC_ASSERT(valid(problem, target, once).ok() == valid(problem, target, schedule).ok());
}

TEST(Schedule, knobs_are_clamped_to_the_layer) {
    const ConvProblem problem = problem_of("8,512,7,7,512,3,3,1,1");
    const Schedule point = canonical(
        problem, Target::x86_vnni,
        schedule_of("tile_rows=16 tile_blocks=16 pixels=12 vectors=4 chunk=8 channel_outer=1 "
                    "packed=1 tiled=1 reuse=1"));
    EXPECT_EQ(format_schedule(point),
              "tile_rows=7 tile_blocks=8 pixels=7 vectors=4 chunk=8 channel_outer=1 packed=1 "
              "tiled=1 reuse=1");
}

TEST(Schedule, a_tile_wider_than_a_row_spans_whole_rows) {
    const ConvProblem problem = problem_of("8,512,7,7,512,3,3,1,1");
    const Schedule point = canonical(
        problem, Target::x86_vnni,
        schedule_of(
            "tile_rows=4 tile_blocks=1 pixels=28 vectors=1 chunk=1 channel_outer=0 packed=0 "
            "tiled=0 reuse=1"));
    EXPECT_EQ(point.pixels, 28);
    const auto plan = make_plan(problem, Target::x86_vnni, point);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan.value().tile_height, 4);
    EXPECT_EQ(plan.value().tile_width, 7);
}

TEST(Schedule, knobs_without_meaning_are_one_point) {
    // One kernel tap: no loop order. 64 channels on both sides: a tile is a pixel.
    const ConvProblem problem = problem_of("1,64,8,8,64,1,1,1,0");
    const Schedule point = canonical(
        problem, Target::x86_vnni,
        schedule_of("tile_rows=1 tile_blocks=1 pixels=8 vectors=2 chunk=1 channel_outer=1 packed=0 "
                    "tiled=1 reuse=1"));
    EXPECT_EQ(point.channel_outer, 0);
    EXPECT_EQ(point.tiled, 0);
}

TEST(Schedule, too_many_registers_are_refused_with_their_count) {
    const ConvProblem problem = problem_of("1,64,28,28,64,3,3,1,1");
    const Schedule schedule = schedule_of(
        "tile_rows=4 tile_blocks=1 pixels=14 vectors=4 chunk=1 channel_outer=0 packed=0 tiled=0 "
        "reuse=1");
    EXPECT_THAT(
        valid(problem, Target::x86_vnni, schedule).error().message(),
        HasSubstr("14 pixels x 4 vectors need 56 sums and 5 other registers; x86-vnni has 32"));
    EXPECT_THAT(valid(problem, Target::x86_avx2, schedule).error().message(),
                HasSubstr("x86-avx2 has 16"));
}

TEST(Schedule, packing_one_vector_is_refused) {
    const ConvProblem problem = problem_of("1,64,28,28,64,3,3,1,1");
    EXPECT_THAT(valid(problem, Target::x86_vnni,
                      schedule_of("tile_rows=4 tile_blocks=1 pixels=14 vectors=1 chunk=1 "
                                  "channel_outer=0 packed=1 tiled=0 reuse=1"))
                    .error()
                    .message(),
                HasSubstr("at least 2 vectors"));
}

TEST(Schedule, a_copy_beyond_the_limit_is_refused_with_its_size) {
    const ConvProblem problem = problem_of("1,64,224,224,64,3,3,1,1");
    EXPECT_THAT(valid(problem, Target::x86_vnni,
                      schedule_of("tile_rows=16 tile_blocks=1 pixels=14 vectors=2 chunk=1 "
                                  "channel_outer=0 packed=1 tiled=0 reuse=0"))
                    .error()
                    .message(),
                testing::AllOf(HasSubstr("16 rows would copy 2."), HasSubstr("allowed: 1 MiB")));
}

TEST(Schedule, values_outside_a_knob_are_refused) {
    const ConvProblem problem = problem_of("1,64,28,28,64,3,3,1,1");
    Schedule schedule;
    schedule.pixels = 0;
    EXPECT_THAT(valid(problem, Target::x86_vnni, schedule).error().message(),
                HasSubstr("pixels is 0; allowed: 1 to"));
    schedule.pixels = 1;
    schedule.packed = 2;
    EXPECT_THAT(valid(problem, Target::x86_vnni, schedule).error().message(),
                HasSubstr("packed is 2; allowed: 0 to 1"));
}

}  // namespace
}  // namespace memside::conv
