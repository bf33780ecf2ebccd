#include "compiler/plan/module_plan.h"

#include <rapidcheck/gtest.h>

namespace memside::compiler {
namespace {

using testing::HasSubstr;

TEST(module_plan, stages_hold_all_layers_once_and_differ_by_one) {
    rc::check([] {
        const auto pipeline = *rc::gen::inRange<std::uint32_t>(1, 40);
        const auto layers = *rc::gen::inRange<std::uint32_t>(pipeline, 130);
        const auto stages = split_layers(layers, {.pipeline = pipeline});
        RC_ASSERT(stages.ok());
        RC_ASSERT(stages->size() == pipeline);
        std::uint32_t next = 0;
        for (const StageLayers& stage : *stages) {
            RC_ASSERT(stage.first == next);
            RC_ASSERT(stage.count >= layers / pipeline && stage.count <= layers / pipeline + 1);
            next += stage.count;
        }
        RC_ASSERT(next == layers);
    });
}

TEST(module_plan, columns_need_a_reduction_and_rows_do_not) {
    const ModuleGrid grid{.tensor = 4};
    const auto rows = split_linear(14336, 4096, pim::Partitioning::row, grid);
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->rows, 3584U);
    EXPECT_EQ(rows->columns, 4096U);
    EXPECT_EQ(rows->communication, pim::Communication::none);
    const auto columns = split_linear(4096, 14336, pim::Partitioning::column, grid);
    ASSERT_TRUE(columns.ok());
    EXPECT_EQ(columns->rows, 4096U);
    EXPECT_EQ(columns->columns, 3584U);
    EXPECT_EQ(columns->communication, pim::Communication::all_reduce);
    const auto alone = split_linear(4096, 14336, pim::Partitioning::column, {});
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(alone->communication, pim::Communication::none);
}

TEST(module_plan, impossible_partitions_are_refused) {
    const auto heads = split_evenly(8, 1, {.tensor = 3}, "KV heads");
    ASSERT_FALSE(heads.ok());
    EXPECT_THAT(heads.error().message(),
                HasSubstr("8 KV heads over 3 modules; allowed: a divisor"));
    EXPECT_EQ(heads.error().exit_status(), 2);
    const auto stages = split_layers(2, {.pipeline = 3});
    ASSERT_FALSE(stages.ok());
    EXPECT_THAT(stages.error().message(), HasSubstr("1 to 2 stages"));
    EXPECT_FALSE(split_layers(2, {.pipeline = 0}).ok());
    EXPECT_FALSE(split_evenly(2, 1, {.tensor = 0}, "heads").ok());
    EXPECT_FALSE(split_linear(8, 8, pim::Partitioning::token, {}).ok());
}

}  // namespace
}  // namespace memside::compiler
