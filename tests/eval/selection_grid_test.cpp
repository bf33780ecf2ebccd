#include "eval/selection_grid.h"

#include <set>
#include <tuple>

namespace memside::eval {
namespace {

SelectionGrid whole_grid() {
    SelectionGrid grid;
    grid.budgets = {512, 4096};
    for (const kv::DigestVariant& digest : kv::digest_variants())
        grid.digests.push_back(digest.kind);
    grid.select_per = {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head};
    grid.group_scores = {kv::GroupScore::mean, kv::GroupScore::max};
    grid.base.dense_layers = 5;
    return grid;
}

TEST(SelectionGrid, every_combination_is_there_once_and_a_head_alone_has_no_group) {
    const SelectionGrid grid = whole_grid();
    const std::vector<engine::KvPolicy> policies = policies_of(grid);
    // Of three units, the two that are groups have two group scores.
    EXPECT_EQ(policies.size(), 2 * grid.digests.size() * (2 + 2 + 1));
    std::set<std::tuple<std::int64_t, int, int, int>> seen;
    for (const engine::KvPolicy& policy : policies) {
        EXPECT_EQ(policy.variant->name, "pnm-kv");
        EXPECT_EQ(policy.dense_layers, 5);
        const engine::SelectionConfig& selection = policy.selection;
        EXPECT_TRUE(seen.emplace(selection.budget_tokens, static_cast<int>(policy.digest.kind),
                                 static_cast<int>(selection.select_per),
                                 static_cast<int>(selection.group_score))
                        .second);
    }
    EXPECT_EQ(policies.front().selection.budget_tokens, 512);
    EXPECT_EQ(policies.back().selection.budget_tokens, 4096);
}

TEST(SelectionGrid, a_context_of_at_most_twice_the_budget_says_nothing_about_it) {
    EXPECT_FALSE(context_tests_budget(1024, 512));
    EXPECT_TRUE(context_tests_budget(1025, 512));
    EXPECT_FALSE(context_tests_budget(4096, 4096));
}

}  // namespace
}  // namespace memside::eval
