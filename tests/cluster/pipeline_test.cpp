#include "cluster/pipeline.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

TEST(Pipeline, one_stage_works_on_its_groups_one_after_the_other) {
    const PipelineStep step = pipeline_step({{1.0, 2.0, 3.0}}, 100.0);
    EXPECT_DOUBLE_EQ(step.step_s, 6.0);  // nothing is sent anywhere
    EXPECT_DOUBLE_EQ(step.slowest_s, 6.0);
    EXPECT_DOUBLE_EQ(step.path_s, 3.0);
}

TEST(Pipeline, a_single_group_waits_for_every_stage_and_hop) {
    const PipelineStep step = pipeline_step({{1.0}, {2.0}, {4.0}}, 0.5);
    EXPECT_DOUBLE_EQ(step.step_s, 1.0 + 2.0 + 4.0 + 3 * 0.5);
}

TEST(Pipeline, as_many_groups_as_stages_keep_the_slowest_busy) {
    const PipelineStep step = pipeline_step({{1.0, 1.0, 1.0}, {2.0, 2.0, 2.0}, {1.0, 1.0, 1.0}}, 0);
    EXPECT_DOUBLE_EQ(step.step_s, 6.0);
}

// With alike groups: all groups through the slowest stage, or one group through all stages.
RC_GTEST_PROP(Pipeline, alike_groups_take_what_the_closed_form_says, ()) {
    const auto stages = *rc::gen::inRange(1, 7);
    const auto groups = *rc::gen::inRange(1, 9);
    const double hop = *rc::gen::inRange(0, 5);
    std::vector<std::vector<double>> times;
    double sum = 0;
    double most = 0;
    for (int s = 0; s < stages; ++s) {
        const double time = *rc::gen::inRange(1, 20);
        times.emplace_back(static_cast<std::size_t>(groups), time);
        sum += time;
        most = std::max(most, time);
    }
    if (stages > 1) sum += stages * hop;
    RC_ASSERT(std::abs(pipeline_step(times, hop).step_s - std::max(groups * most, sum)) < 1e-9);
}

RC_GTEST_PROP(Pipeline, no_step_is_shorter_than_a_stage_or_a_way, ()) {
    const auto stages = *rc::gen::inRange<std::size_t>(1, 6);
    const auto groups = *rc::gen::inRange<std::size_t>(1, 6);
    std::vector<std::vector<double>> times(stages, std::vector<double>(groups));
    double all = 0;
    for (auto& stage : times) {
        for (double& time : stage) {
            time = *rc::gen::inRange(1, 20);
            all += time;
        }
    }
    const PipelineStep step = pipeline_step(times, 0);
    RC_ASSERT(step.step_s > step.slowest_s * (1 - 1e-9));
    RC_ASSERT(step.step_s > step.path_s * (1 - 1e-9));
    RC_ASSERT(step.step_s < all * (1 + 1e-9));
}

}  // namespace
}  // namespace memside
