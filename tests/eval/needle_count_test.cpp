#include "eval/needle_count.h"

namespace memside::eval {
namespace {

engine::KvPolicy of_budget(std::int64_t budget) {
    engine::KvPolicy policy;
    policy.variant = &engine::kv_policy_variant("pnm-kv");
    policy.selection.budget_tokens = budget;
    return policy;
}

// Ten trials of a cell of which the first `found` found their needle.
void add(std::vector<NeedleAnswer>& answers, std::size_t policy, std::size_t context,
         std::size_t depth, std::int64_t found, std::int64_t first = 0) {
    for (std::int64_t trial = 0; trial < 10; ++trial) {
        NeedleAnswer answer;
        answer.policy = policy;
        answer.context = context;
        answer.depth = depth;
        answer.trial = trial;
        answer.found = trial >= first && trial < first + found;
        answer.cost.steps = 2;
        answer.cost.kv_bytes = policy == 0 ? 1000 : 100;
        answer.cost.digest_bytes = policy == 0 ? 0 : 10;
        answers.push_back(answer);
    }
}

TEST(NeedleCount, nine_in_ten_fix_a_cell) {
    EXPECT_TRUE(dense_fixes(9, 10));
    EXPECT_FALSE(dense_fixes(8, 10));
    EXPECT_TRUE(dense_fixes(18, 20));
    EXPECT_FALSE(dense_fixes(17, 19));
    EXPECT_TRUE(dense_fixes(1, 1));
    EXPECT_FALSE(dense_fixes(0, 0));
}

class NeedleCountTest : public testing::Test {
  protected:
    NeedleCountTest() {
        setup_.contexts = {1024, 4096};
        setup_.depths = {0.5, 0.9};
    }
    NeedleSetup setup_;
    std::vector<engine::KvPolicy> policies_{of_budget(256), of_budget(512)};
};

TEST_F(NeedleCountTest, dense_alone_decides_which_cells_count) {
    std::vector<NeedleAnswer> answers;
    add(answers, 0, 1, 0, 10);
    add(answers, 0, 1, 1, 8);
    // What a policy finds does not make a cell count, nor what it loses not count.
    add(answers, 1, 1, 0, 0);
    add(answers, 1, 1, 1, 10);
    const std::vector<NeedleCell> cells = count_cells(setup_, policies_, answers);
    ASSERT_EQ(cells.size(), 4U);
    for (const NeedleCell& cell : cells) EXPECT_EQ(cell.counts, cell.depth == 0);
    const std::vector<NeedleTotal> totals = add_up(cells, policies_.size());
    ASSERT_EQ(totals.size(), 3U);
    EXPECT_EQ(totals[1].cells, 1);
    EXPECT_EQ(totals[1].lost, 10);
    EXPECT_EQ(totals[1].lost_per_100(), 100.0);
    EXPECT_EQ(totals[2].cells, 0);
}

TEST_F(NeedleCountTest, contexts_of_at_most_twice_the_budget_do_not_count) {
    std::vector<NeedleAnswer> answers;
    for (const std::size_t context : {std::size_t{0}, std::size_t{1}}) {
        for (const std::size_t policy : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
            add(answers, policy, context, 0, 10);
        }
    }
    const std::vector<NeedleTotal> totals =
        add_up(count_cells(setup_, policies_, answers), policies_.size());
    EXPECT_EQ(totals[0].cells, 2);
    EXPECT_EQ(totals[1].cells, 2);  // 1,024 is more than twice 256
    EXPECT_EQ(totals[2].cells, 1);  // and is twice 512
}

TEST_F(NeedleCountTest, a_loss_is_a_needle_that_dense_found_in_the_same_trial) {
    std::vector<NeedleAnswer> answers;
    add(answers, 0, 1, 0, 9, 0);  // trials 0 to 8
    add(answers, 1, 1, 0, 8, 2);  // trials 2 to 9
    const std::vector<NeedleCell> cells = count_cells(setup_, policies_, answers);
    ASSERT_EQ(cells.size(), 2U);
    EXPECT_EQ(cells[1].trials, 10);
    EXPECT_EQ(cells[1].found, 8);
    EXPECT_EQ(cells[1].dense_found, 9);
    EXPECT_EQ(cells[1].lost, 2);
    EXPECT_EQ(cells[1].gained, 1);
    const NeedleTotal total = add_up(cells, policies_.size())[1];
    EXPECT_DOUBLE_EQ(total.lost_per_100(), 100.0 * 2 / 9);
    EXPECT_EQ(total.cost.kv_bytes_per_step(), 50.0);
    EXPECT_EQ(total.cost.digest_bytes_per_step(), 5.0);
}

}  // namespace
}  // namespace memside::eval
