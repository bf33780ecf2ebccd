#include "engine/kv_tier.h"

#include "engine/page_sets.h"

namespace memside::engine {
namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr int heads = 32;
constexpr std::int64_t pages = 2048;

// 64 tokens of 64 dimensions in f16 are 16 KiB a page, 128 KiB with all KV heads.
KvShape shape_of(int layers) {
    KvShape shape;
    shape.kv_heads = 8;
    shape.head_dim = 64;
    shape.page_tokens = 64;
    shape.capacity_tokens = pages * 64;
    shape.kept_tokens.assign(static_cast<std::size_t>(layers), 0);
    return shape;
}

KvPolicy policy_of(std::string_view name, std::int64_t budget_tokens) {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    return policy;
}

KvTier tier_of(std::int64_t pool_bytes) {
    KvTier tier;
    tier.folder = "somewhere";
    tier.pool_bytes = pool_bytes;
    return tier;
}

TEST(KvTier, without_a_folder_nothing_is_shared) {
    KvPolicy policy = policy_of("recall", 4096);
    const auto tier = share_pool({}, shape_of(4), {true, true, true, true}, heads, 64, policy);
    ASSERT_TRUE(tier.ok());
    EXPECT_TRUE(tier->folder.empty());
    EXPECT_EQ(policy.pool_bytes, 0);
}

TEST(KvTier, no_share_exceeds_the_pool_and_dense_layers_keep_pages_first) {
    for (const std::string_view name : {"dense", "pnm-kv", "png-kv", "recall"}) {
        for (const std::int64_t bytes : {100 * mib, 333 * mib, 800 * mib, 4000 * mib}) {
            KvPolicy policy = policy_of(name, 1024);
            const bool selects = policy.variant->selects;
            const KvShape shape = shape_of(6);
            const std::vector<bool> selecting{false, false, selects, selects, selects, selects};
            const auto tier = share_pool(tier_of(bytes), shape, selecting, heads, 64, policy);
            ASSERT_TRUE(tier.ok()) << tier.error().message();
            std::int64_t used = tier->frame_bytes;
            for (const std::int64_t first : tier->first_pages) used += first * shape.whole_bytes();
            if (selects) {
                const std::int64_t place = 4 * shape.whole_bytes();
                used += policy.pool_pages(64, place) * place;
            }
            EXPECT_LE(used, bytes) << name;
            // All but what is left when a page of every layer does not fit any more.
            EXPECT_GT(used, std::min(bytes, 1500 * mib) - 2 * mib) << name;
            EXPECT_GE(tier->frame_bytes, 2 * shape.whole_bytes());
            EXPECT_EQ(tier->first_pages[0], tier->first_pages[1]);
            EXPECT_TRUE(!selects || tier->first_pages[2] == 0 || tier->first_pages[0] == pages);
        }
    }
}

TEST(KvTier, recall_keeps_its_budget_at_least_and_twice_of_it_if_it_can) {
    const KvShape shape = shape_of(2);
    const std::int64_t place = 2 * shape.whole_bytes();
    const std::int64_t least = 16 * place + 2 * shape.whole_bytes();
    for (const auto& [bytes, places] :
         {std::pair{least, 16}, std::pair{least + 4 * place, 18}, std::pair{1000 * mib, 32}}) {
        KvPolicy policy = policy_of("recall", 1024);
        const auto tier = share_pool(tier_of(bytes), shape, {true, true}, heads, 64, policy);
        ASSERT_TRUE(tier.ok()) << tier.error().message();
        EXPECT_GE(policy.pool_pages(64, place), places);
    }
}

TEST(KvTier, a_pool_that_a_step_cannot_do_with_is_refused_with_numbers) {
    KvPolicy policy = policy_of("dense", 1024);
    const auto dense =
        share_pool(tier_of(200 * 1024), shape_of(2), {false, false}, heads, 64, policy);
    ASSERT_FALSE(dense.ok());
    EXPECT_EQ(dense.error().exit_status(), 2);
    EXPECT_EQ(
        dense.error().message(),
        "--kv-pool: 200 KiB are too few: a step needs 256 KiB for pages that it reads and 0 B "
        "for those that dense keeps in memory, 256 KiB");
    policy = policy_of("recall", 1024);
    const auto recall = share_pool(tier_of(mib), shape_of(2), {true, true}, heads, 64, policy);
    ASSERT_FALSE(recall.ok());
    EXPECT_THAT(recall.error().message(), testing::HasSubstr("4 MiB for those that recall keeps"));
}

}  // namespace
}  // namespace memside::engine
