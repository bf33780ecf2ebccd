#include "conv/conv_plan.h"

#include <rapidcheck/gtest.h>

#include <stdexcept>

#include "conv/random_conv.h"

namespace memside::conv {
namespace {

ConvPlan plan_of(const char* shape, const char* schedule, ByteType input = ByteType::u8,
                 std::int32_t zero_point = 0) {
    ConvProblem problem;
    problem.shape = parse_shape(shape, "").value();
    problem.input = input;
    problem.input_zero_point = zero_point;
    const auto plan = make_plan(problem, Target::x86_vnni, parse_schedule(schedule, "").value());
    if (!plan.ok()) throw std::runtime_error(plan.error().message());
    return plan.value();
}

// The products of a task's output value, counted from the loops.
std::int64_t steps_of(const ConvPlan& plan) {
    std::int64_t steps = 0;
    for (const ReductionNest& nest : plan.nests) {
        std::int64_t trips = 1;
        for (const ReductionLoop& loop : nest.loops) trips *= loop.trips;
        steps += trips * nest.steps;
    }
    return steps;
}

RC_GTEST_PROP(ConvPlan, loops_hold_every_product_and_little_more, ()) {
    const ConvProblem problem = random_problem();
    RC_PRE(check(problem, "").ok());
    const Target target = random_target();
    const auto plan = make_plan(problem, target, random_schedule());
    RC_PRE(plan.ok());
    const ConvShape& shape = problem.shape;
    const std::int64_t channels = plan.value().channel_blocks * plan.value().block_channels;
    RC_ASSERT(channels >= shape.c);
    const std::int64_t held = steps_of(plan.value()) * traits(target).group;
    RC_ASSERT(held >= shape.reduction());
    // At most a group is filled up for each kernel tap.
    RC_ASSERT(held < shape.r * shape.s * (channels + traits(target).group));
}

RC_GTEST_PROP(ConvPlan, blocks_and_tasks_cover_the_output_once, ()) {
    const ConvProblem problem = random_problem();
    RC_PRE(check(problem, "").ok());
    const Target target = random_target();
    const auto plan = make_plan(problem, target, random_schedule());
    RC_PRE(plan.ok());
    const ConvPlan& p = plan.value();
    RC_ASSERT(p.vectors() * traits(target).lanes >= problem.shape.k);
    RC_ASSERT((p.vectors() - 1) * traits(target).lanes < problem.shape.k);
    RC_ASSERT(p.row_tasks * p.schedule.tile_rows >= problem.shape.out_h());
    RC_ASSERT((p.row_tasks - 1) * p.schedule.tile_rows < problem.shape.out_h());
    const std::int64_t blocks = p.full_blocks + (p.rest_vectors > 0 ? 1 : 0);
    RC_ASSERT(p.channel_tasks * p.schedule.tile_blocks >= blocks);
    RC_ASSERT((p.channel_tasks - 1) * p.schedule.tile_blocks < blocks);
    RC_ASSERT(p.tile_height * p.tile_width == p.schedule.pixels);
}

TEST(ConvPlan, a_kernel_row_of_three_channels_is_one_run) {
    // 7 x 3 channels in 6 broadcasts of 4, instead of 7.
    const ConvPlan plan = plan_of("1,3,224,224,64,7,7,2,3",
                                  "tile_rows=4 tile_blocks=1 pixels=6 vectors=4 chunk=2 "
                                  "channel_outer=0 packed=1 tiled=0 reuse=0");
    EXPECT_EQ(steps_of(plan), 37);  // patches: 147 channels
    const ConvPlan rows = plan_of("1,3,224,224,64,7,7,2,3",
                                  "tile_rows=4 tile_blocks=1 pixels=6 vectors=4 chunk=2 "
                                  "channel_outer=0 packed=1 tiled=0 reuse=1");
    EXPECT_EQ(steps_of(rows), 42);
    EXPECT_EQ(rows.mode, InputMode::padded);
}

TEST(ConvPlan, a_tile_of_a_whole_row_needs_no_copy) {
    const char* shape = "1,64,14,14,64,3,3,1,1";
    const char* whole =
        "tile_rows=4 tile_blocks=1 pixels=14 vectors=2 chunk=2 channel_outer=0 "
        "packed=1 tiled=0 reuse=1";
    EXPECT_EQ(plan_of(shape, whole).mode, InputMode::direct);
    EXPECT_TRUE(plan_of(shape, whole).skips_columns);
    EXPECT_EQ(plan_of(shape, whole).scratch_bytes(), 0);
    const char* half =
        "tile_rows=4 tile_blocks=1 pixels=7 vectors=2 chunk=2 channel_outer=0 "
        "packed=1 tiled=0 reuse=1";
    EXPECT_EQ(plan_of(shape, half).mode, InputMode::padded);
    EXPECT_TRUE(plan_of(shape, half).skips_rows);
}

TEST(ConvPlan, a_zero_point_forbids_leaving_out_what_is_outside) {
    const char* shape = "1,64,14,14,64,3,3,1,1";
    const char* whole =
        "tile_rows=4 tile_blocks=1 pixels=14 vectors=2 chunk=2 channel_outer=0 "
        "packed=1 tiled=0 reuse=1";
    EXPECT_FALSE(plan_of(shape, whole, ByteType::u8, 3).skips_rows);
    // Raised by 128, zero is not the number 0; -128 is.
    EXPECT_FALSE(plan_of(shape, whole, ByteType::s8, 0).skips_rows);
    EXPECT_TRUE(plan_of(shape, whole, ByteType::s8, -128).skips_rows);
}

TEST(ConvPlan, an_invalid_schedule_has_no_plan) {
    ConvProblem problem;
    problem.shape = parse_shape("1,64,14,14,64,3,3,1,1", "").value();
    Schedule schedule;
    schedule.packed = 1;
    const auto plan = make_plan(problem, Target::x86_vnni, schedule);
    ASSERT_FALSE(plan.ok());
    EXPECT_THAT(plan.error().message(), testing::HasSubstr("nothing to pack"));
}

}  // namespace
}  // namespace memside::conv
