#include "engine/kv_policy.h"

namespace memside::engine {
namespace {

KvPolicy policy_of(std::string_view name, std::int64_t budget_tokens) {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    return policy;
}

TEST(KvPolicy, only_recall_and_steady_pages_have_a_pool) {
    EXPECT_EQ(policy_of("dense", 4096).pool_pages(64, 1000), 0);
    EXPECT_EQ(policy_of("pnm-kv", 4096).pool_pages(64, 1000), 0);
    EXPECT_EQ(policy_of("recall", 4096).pool_pages(64, 1000), 128);
    EXPECT_EQ(policy_of("png-kv", 4096).pool_pages(64, 1000), 32);
}

TEST(KvPolicy, a_pool_in_bytes_is_divided_among_all_sets) {
    KvPolicy policy = policy_of("recall", 4096);
    policy.pool_bytes = 99999;
    EXPECT_EQ(policy.pool_pages(64, 1000), 99);
}

TEST(KvPolicy, steady_pages_leave_the_page_being_written_out) {
    KvPolicy policy = policy_of("png-kv", 640);
    policy.steady_tokens = 640;
    EXPECT_EQ(policy.pool_pages(64, 1000), 9);
    policy.steady_tokens = 100;
    EXPECT_EQ(policy.pool_pages(64, 1000), 2);
}

TEST(KvPolicy, more_steady_tokens_than_the_budget_are_refused) {
    KvPolicy policy = policy_of("png-kv", 640);
    policy.steady_tokens = 641;
    const Status status = check_policy(policy, 64);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message(), "--steady: 641 tokens are more than the 640 of the budget");
}

TEST(KvPolicy, pins_beyond_the_budget_are_refused_unless_nothing_is_selected) {
    KvPolicy policy = policy_of("pnm-kv", 64);
    policy.selection.pinned = {1, 1};
    EXPECT_FALSE(check_policy(policy, 64).ok());
    policy.variant = &kv_policy_variant("dense");
    EXPECT_TRUE(check_policy(policy, 64).ok());
}

}  // namespace
}  // namespace memside::engine
