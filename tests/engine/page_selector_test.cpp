#include "engine/page_selector.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/digest_block.h"
#include "engine/random_weights.h"
#include "engine/sequences.h"
#include "kv/digest.h"

namespace memside::engine {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

struct Scene {
    Scene(int kv_heads, int head_dim, std::int64_t token_count, const DigestConfig& config,
          test::Keys keys, std::uint32_t seed)
        : shape(test::sequence_shape(kv_heads, head_dim, 16, token_count)), tokens(token_count) {
        KvStore store = std::move(KvStore::make(shape)).value();
        write_keys(store, 0, 0, tokens, keys, seed);
        digests = std::move(DigestStore::make(shape, config)).value();
        digests.append(store, 0, 0, tokens);
    }
    std::int64_t pages() const { return (tokens + 15) / 16; }

    KvShape shape;
    std::int64_t tokens;
    DigestStore digests;
};

// The scores of a set, by kv/'s own functions on the digests as stored.
std::vector<float> reference_scores(const Scene& scene, const std::vector<float>& queries,
                                    int heads, const SelectionConfig& config, std::int64_t set) {
    const std::int64_t pages = scene.pages();
    const auto dim = index(scene.shape.head_dim);
    std::vector<float> head_scores;
    std::vector<float> low(dim);
    std::vector<float> high(dim);
    for (int head = 0; head < heads; ++head) {
        const int h = head * scene.shape.kv_heads / heads;
        for (std::int64_t page = 0; page < pages; ++page) {
            load_corners(scene.digests.type(), scene.digests.block(0, h, page / 16), page % 16, low,
                         high);
            head_scores.push_back(
                kv::page_score(std::span(queries).subspan(index(head) * dim, dim), low, high));
        }
    }
    const std::int64_t sets = kv::group_count(config.select_per, heads, scene.shape.kv_heads);
    std::vector<float> grouped(index(sets * pages));
    kv::group_scores(head_scores, heads, scene.shape.kv_heads, config.select_per,
                     config.group_score, grouped);
    return {grouped.begin() + set * pages, grouped.begin() + (set + 1) * pages};
}

void expect_reference(kv::SelectPer per, kv::GroupScore how, kv::DigestType type) {
    constexpr int heads = 6;
    DigestConfig digests;
    digests.type = type;
    const Scene scene(2, 20, 700, digests, test::Keys::iid, 4);
    SelectionConfig config;
    config.budget_tokens = 160;
    config.pinned = {1, 2};
    config.select_per = per;
    config.group_score = how;
    ThreadPool pool(2);
    PageSelector selector(scene.shape, pool, heads, config);
    const auto queries = test::random_values(index(heads * 20), 99, 0.7F);
    selector.select(queries.data(), 0, scene.pages(), scene.digests);
    ASSERT_EQ(selector.sets(), kv::group_count(per, heads, 2));
    for (std::int64_t set = 0; set < selector.sets(); ++set) {
        std::vector<float> scores = reference_scores(scene, queries, heads, config, set);
        kv::pin_pages(scores, config.pinned);
        kv::PageList want;
        kv::select_top_pages_by_sort(scores, 10, want);
        EXPECT_EQ(selector.selected(set), want);
        for (std::size_t page = 0; page < scores.size(); ++page) {
            if (scores[page] == infinity) {
                EXPECT_EQ(selector.scores(set)[page], infinity);
            } else {
                EXPECT_NEAR(selector.scores(set)[page], scores[page], 1e-5);
            }
        }
    }
    EXPECT_EQ(selector.pages_scored(), 2 * 44);
    EXPECT_EQ(selector.bytes_read(), 2 * 3 * scene.digests.block_bytes());
}

TEST(PageSelector, selects_what_the_functions_of_kv_select_for_every_grouping_and_type) {
    for (const auto per :
         {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head}) {
        for (const auto how : {kv::GroupScore::mean, kv::GroupScore::max}) {
            expect_reference(per, how, kv::DigestType::f16);
            expect_reference(per, how, kv::DigestType::int8);
        }
    }
}

RC_GTEST_PROP(PageSelector, pages_left_unread_are_pages_that_one_level_would_not_select, ()) {
    DigestConfig digests;
    digests.kind = *rc::gen::element(kv::DigestKind::minmax, kv::DigestKind::centre_max,
                                     kv::DigestKind::centre_mad, kv::DigestKind::centre_std);
    digests.type = *rc::gen::element(kv::DigestType::f16, kv::DigestType::int8);
    const auto keys = *rc::gen::element(test::Keys::iid, test::Keys::clustered, test::Keys::tied);
    const int kv_heads = *rc::gen::inRange(1, 3);
    const int heads = kv_heads * *rc::gen::inRange(1, 6);
    const int dim = *rc::gen::inRange(1, 12);
    const auto tokens = *rc::gen::inRange<std::int64_t>(16 * 16 * 40, 16 * 16 * 100);
    const Scene scene(kv_heads, dim, tokens, digests, keys, *rc::gen::arbitrary<std::uint32_t>());

    SelectionConfig config;
    config.pinned = {*rc::gen::inRange(0, 3), *rc::gen::inRange(0, 3)};
    config.budget_tokens =
        16 * (config.pinned.sink + config.pinned.recent + *rc::gen::inRange<std::int64_t>(1, 16));
    config.select_per =
        *rc::gen::element(kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head);
    config.group_score = *rc::gen::element(kv::GroupScore::mean, kv::GroupScore::max);
    ThreadPool pool(2);
    PageSelector selector(scene.shape, pool, heads, config);
    config.every_score = true;
    PageSelector one_level(scene.shape, pool, heads, config);
    for (std::uint64_t step = 0; step < 3; ++step) {
        auto queries = test::random_values(index(heads * dim), step, 2.0F);
        if (keys == test::Keys::tied) {
            for (float& q : queries) q = std::round(q);
        }
        selector.select(queries.data(), 0, scene.pages(), scene.digests);
        one_level.select(queries.data(), 0, scene.pages(), scene.digests);
        RC_CLASSIFY(selector.pages_scored() < one_level.pages_scored(), "pages left unread");
        for (std::int64_t set = 0; set < selector.sets(); ++set) {
            RC_ASSERT(selector.selected(set) == one_level.selected(set));
            for (std::size_t page = 0; page < index(scene.pages()); ++page) {
                const float score = selector.scores(set)[page];
                RC_ASSERT(one_level.scores(set)[page] > -infinity);
                RC_ASSERT(score == -infinity || score == one_level.scores(set)[page]);
            }
        }
    }
}

// One KV head, 80 superpages of 16-token pages, every token of a page with the page's key.
Scene scene_of_pages(int dim, kv::DigestType type,
                     const std::function<std::vector<float>(std::int64_t page)>& key) {
    DigestConfig config;
    config.type = type;
    Scene scene(1, dim, 16 * 16 * 80, config, test::Keys::iid, 0);
    KvStore store = std::move(KvStore::make(scene.shape)).value();
    for (std::int64_t t = 0; t < scene.tokens; ++t) {
        store.write(0, t, key(t / 16).data(), key(t / 16).data());
    }
    scene.digests.append(store, 0, 0, scene.tokens);
    return scene;
}

TEST(PageSelector, a_superpage_whose_bound_ties_with_the_floor_is_read) {
    // Superpages 1 to 4 have the best pages and 15 that tie with those of superpage 0.
    const auto key = [](std::int64_t page) -> std::vector<float> {
        if (page >= 5 * 16) return {0.5F};
        return {page >= 16 && page % 16 == 0 ? 2.0F : 1.0F};
    };
    ThreadPool pool(1);
    SelectionConfig config;
    config.budget_tokens = 16 * 10;
    for (const auto type : {kv::DigestType::f16, kv::DigestType::int8}) {
        const Scene scene = scene_of_pages(1, type, key);
        PageSelector selector(scene.shape, pool, 1, config);
        const float query = 1.0F;
        selector.select(&query, 0, scene.pages(), scene.digests);
        EXPECT_EQ(selector.selected(0), (kv::PageList{0, 1, 2, 3, 4, 5, 16, 32, 48, 64}));
        EXPECT_LT(selector.pages_scored(), scene.pages() / 2);
    }
}

TEST(PageSelector, bounds_of_int8_are_above_scores_that_round_up) {
    // Page 0 and the first pages of superpages 1 to 5 have the same key, multiples of 3. An outlier
    // beside page 0, in a channel that the query does not see, makes the scale of superpage 0 three
    // times that of page 0: bound and score are the same sum, rounded differently.
    constexpr int dim = 20;
    const auto key = [](std::int64_t page) {
        std::vector<float> values(dim, 0.0F);
        if (page == 1) values[0] = 3 * 127.0F;
        if (page % 16 != 0 || page > 5 * 16) return values;
        values[0] = 127.0F;
        for (std::size_t d = 1; d < dim; ++d) values[d] = 3.0F * static_cast<float>(1 + d * 7 % 40);
        return values;
    };
    const Scene scene = scene_of_pages(dim, kv::DigestType::int8, key);
    ThreadPool pool(1);
    SelectionConfig config;
    config.budget_tokens = 16;
    PageSelector selector(scene.shape, pool, 1, config);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        auto query = test::random_values(dim, seed);
        for (float& q : query) q = std::abs(q);
        query[0] = 0.0F;
        selector.select(query.data(), 0, scene.pages(), scene.digests);
        ASSERT_EQ(selector.selected(0), kv::PageList{0}) << seed;
        ASSERT_LT(selector.pages_scored(), scene.pages() / 2);
    }
}

Scene long_scene(test::Keys keys, kv::DigestType type) {
    DigestConfig config;
    config.type = type;
    return {2, 16, std::int64_t{16} * 16 * 100, config, keys, 8};
}

TEST(PageSelector, leaves_most_pages_unread_where_keys_are_alike_for_long) {
    for (const auto type : {kv::DigestType::f16, kv::DigestType::int8}) {
        const Scene scene = long_scene(test::Keys::clustered, type);
        ThreadPool pool(1);
        SelectionConfig config;
        config.budget_tokens = 160;
        PageSelector selector(scene.shape, pool, 4, config);
        const auto queries = test::random_values(4 * 16, 5, 2.0F);
        for (int step = 0; step < 3; ++step) {
            selector.select(queries.data(), 0, scene.pages(), scene.digests);
            EXPECT_LT(selector.pages_scored(), 2 * scene.pages() / 2);
            EXPECT_LT(selector.bytes_read(), scene.digests.bytes(scene.tokens) / 2);
        }
    }
}

TEST(PageSelector, gives_superpages_up_for_longer_each_time_that_they_do_not_pay) {
    const Scene scene = long_scene(test::Keys::iid, kv::DigestType::f16);
    ThreadPool pool(1);
    SelectionConfig config;
    config.budget_tokens = 160;
    PageSelector selector(scene.shape, pool, 4, config);
    std::vector<int> trials;
    for (int step = 0; step < 200; ++step) {
        const auto queries = test::random_values(4 * 16, static_cast<std::uint64_t>(step));
        selector.select(queries.data(), 0, scene.pages(), scene.digests);
        if (selector.pages_scored() > 2 * scene.pages()) trials.push_back(step);
    }
    EXPECT_EQ(trials, (std::vector<int>{0, 2, 6, 14, 30, 62, 126, 190}));
}

TEST(PageSelector, a_share_of_mass_takes_the_fewest_pages_in_rank_order_that_hold_it) {
    const Scene scene(1, 16, 16 * 300, {}, test::Keys::iid, 3);
    const auto queries = test::random_values(16, 5, 0.3F);
    ThreadPool pool(2);
    std::size_t before = 0;
    for (const double mass : {0.01, 0.2, 0.5, 0.9}) {
        SelectionConfig config;
        config.budget_tokens = 16 * 290;
        config.budget_mass = mass;
        config.pinned = {1, 1};
        PageSelector selector(scene.shape, pool, 1, config);
        selector.select(queries.data(), 0, scene.pages(), scene.digests);
        // Pinned pages come first, then the others by score, until the sum suffices.
        const std::vector<float> scores = reference_scores(scene, queries, 1, config, 0);
        std::vector<float> pinned = scores;
        kv::pin_pages(pinned, config.pinned);
        kv::PageList all(scores.size());
        for (std::size_t page = 0; page < all.size(); ++page) {
            all[page] = static_cast<kv::PageIndex>(page);
        }
        double total = 0.0;
        for (const float score : scores) total += std::exp2(static_cast<double>(score));
        double reached = 0.0;
        kv::PageList want;
        for (const kv::PageIndex page : kv::ranked(pinned, all)) {
            if (want.size() >= 2 && reached >= mass * total) break;
            reached += std::exp2(static_cast<double>(scores[page]));
            want.push_back(page);
        }
        std::ranges::sort(want);
        EXPECT_EQ(selector.selected(0), want) << mass;
        EXPECT_GT(want.size(), before);
        before = want.size();
    }
}

TEST(PageSelector, a_share_of_mass_stays_within_the_budget) {
    const Scene scene(1, 16, 16 * 300, {}, test::Keys::iid, 3);
    ThreadPool pool(1);
    SelectionConfig config;
    config.budget_tokens = 16 * 20;
    config.budget_mass = 0.9999;
    PageSelector selector(scene.shape, pool, 1, config);
    const std::vector<float> queries(16, 1e-3F);
    selector.select(queries.data(), 0, scene.pages(), scene.digests);
    EXPECT_EQ(selector.selected(0).size(), 20U);
}

}  // namespace
}  // namespace memside::engine
