#include <rapidcheck/gtest.h>

#include "conv/conv_plan.h"
#include "conv/random_conv.h"

namespace memside::conv {
namespace {

RC_GTEST_PROP(ScheduleSpace, every_schedule_is_one_of_its_points_or_invalid, ()) {
    const ConvProblem problem = random_problem();
    RC_PRE(check(problem, "").ok());
    const Target target = random_target();
    const ScheduleSpace space(problem, target);
    for (int i = 0; i < 50; ++i) {
        const Schedule schedule = random_schedule();
        const std::int64_t index = space.index(schedule);
        RC_ASSERT((index >= 0) == valid(problem, target, schedule).ok());
        if (index < 0) continue;
        RC_ASSERT(space.points()[static_cast<std::size_t>(index)] ==
                  canonical(problem, target, schedule));
    }
}

TEST(ScheduleSpace, points_are_distinct_canonical_valid_and_in_order) {
    ConvProblem problem;
    problem.shape = parse_shape("1,3,30,30,24,5,3,2,1", "").value();
    for (const Target target : {Target::x86_vnni, Target::x86_avx2}) {
        const ScheduleSpace space(problem, target);
        ASSERT_FALSE(space.points().empty());
        for (std::size_t i = 0; i < space.points().size(); ++i) {
            const Schedule& point = space.points()[i];
            EXPECT_EQ(canonical(problem, target, point), point);
            EXPECT_TRUE(make_plan(problem, target, point).ok());
            if (i > 0) {
                EXPECT_LT(space.points()[i - 1].knobs(), point.knobs());
            }
        }
    }
}

TEST(ScheduleSpace, a_problem_that_is_refused_has_no_points) {
    ConvProblem problem;
    problem.shape.stride = 0;
    const ScheduleSpace space(problem, Target::x86_vnni);
    EXPECT_TRUE(space.points().empty());
    EXPECT_EQ(space.index(Schedule{}), -1);
}

// ResNet-50's layers by shape, VGG-16's widest, MobileNet-V1's pointwise ones.
TEST(ScheduleSpace, every_studied_layer_has_at_least_2000_points) {
    for (const char* shape :
         {"8,64,56,56,64,3,3,1,1", "8,128,28,28,128,3,3,1,1", "8,256,14,14,256,3,3,1,1",
          "8,512,7,7,512,3,3,1,1", "8,64,56,56,64,1,1,1,0", "8,64,56,56,256,1,1,1,0",
          "8,1024,14,14,256,1,1,1,0", "8,3,224,224,64,7,7,2,3", "8,512,7,7,2048,1,1,1,0",
          "8,512,28,28,1024,1,1,2,0", "8,128,56,56,128,3,3,2,1", "8,512,14,14,512,3,3,2,1",
          "1,64,224,224,64,3,3,1,1", "1,3,224,224,64,3,3,1,1", "1,512,14,14,512,3,3,1,1",
          "1,32,112,112,64,1,1,1,0", "1,1024,7,7,1024,1,1,1,0"}) {
        for (const WeightType weight : {WeightType::s8, WeightType::s4}) {
            for (const Target target : {Target::x86_vnni, Target::x86_avx2}) {
                ConvProblem problem;
                problem.shape = parse_shape(shape, "").value();
                problem.weight = weight;
                EXPECT_GE(ScheduleSpace(problem, target).points().size(), 2000U)
                    << shape << " " << static_cast<int>(target) << static_cast<int>(weight);
            }
        }
    }
}

}  // namespace
}  // namespace memside::conv
