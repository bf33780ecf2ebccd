#include "kv/selection.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "kv/group_scores.h"
#include "kv/random_scores.h"

namespace memside::kv {
namespace {

// Top-k as one would do it by hand: take the best page left, `count` times.
PageList pick_one_by_one(const std::vector<float>& scores, std::int64_t count) {
    std::vector<bool> taken(scores.size(), false);
    PageList picked;
    while (static_cast<std::int64_t>(picked.size()) < count && picked.size() < scores.size()) {
        std::size_t best = scores.size();
        for (std::size_t page = 0; page < scores.size(); ++page) {
            if (!taken[page] && (best == scores.size() || scores[page] > scores[best])) best = page;
        }
        taken[best] = true;
        picked.push_back(static_cast<PageIndex>(best));
    }
    std::sort(picked.begin(), picked.end());
    return picked;
}

RC_GTEST_PROP(Selection, every_variant_picks_the_pages_that_picking_one_by_one_picks, ()) {
    const auto pages = static_cast<std::size_t>(*rc::gen::inRange(0, 300));
    const auto count = *rc::gen::inRange<std::int64_t>(-1, 320);
    const auto scores = some_scores(pages, *rc::gen::arbitrary<std::uint32_t>());
    for (const TopPagesVariant& variant : top_pages_variants()) {
        PageList selected{7, 8, 9};
        variant.select(scores, count, selected);
        RC_ASSERT(selected == pick_one_by_one(scores, count));
    }
}

RC_GTEST_PROP(Selection, every_variant_agrees_with_sort_at_the_sizes_of_long_contexts, ()) {
    const auto pages = static_cast<std::size_t>(*rc::gen::inRange(1000, 40000));
    // A few pages of many, as a budget takes them, or any number.
    const auto most = static_cast<std::int64_t>(pages) / *rc::gen::element(1, 40);
    const auto count = *rc::gen::inRange<std::int64_t>(1, most);
    const auto scores = some_scores(pages, *rc::gen::arbitrary<std::uint32_t>());
    PageList by_sort;
    select_top_pages_by_sort(scores, count, by_sort);
    for (const TopPagesVariant& variant : top_pages_variants()) {
        PageList selected;
        variant.select(scores, count, selected);
        RC_ASSERT(selected == by_sort);
    }
}

RC_GTEST_PROP(Selection, a_share_of_mass_is_reached_by_no_fewer_pages, ()) {
    const auto pages = static_cast<std::size_t>(*rc::gen::inRange(1, 60));
    auto scores = normal_values(pages, *rc::gen::arbitrary<std::uint32_t>());
    PageList all(pages);
    std::iota(all.begin(), all.end(), PageIndex{0});
    const std::vector<PageIndex> order = ranked(scores, all);
    const double mass = *rc::gen::element(1e-3, 0.3, 0.9);
    const auto count = static_cast<std::size_t>(pages_of_mass(scores, order, mass));
    RC_ASSERT(count >= 1 && count <= pages);

    double total = 0.0;
    for (const float score : scores)
        total += std::exp2(static_cast<double>(score - scores[order[0]]));
    const auto held = [&](std::size_t first_pages) {
        double sum = 0.0;
        for (std::size_t i = 0; i < first_pages; ++i) {
            sum += std::exp2(static_cast<double>(scores[order[i]] - scores[order[0]]));
        }
        return sum / total;
    };
    RC_ASSERT(held(count) >= mass - 1e-6);
    RC_ASSERT(count == 1 || held(count - 1) < mass + 1e-6);
}

TEST(Selection, equal_scores_fall_to_the_lower_index_and_zeros_are_equal) {
    PageList selected;
    select_top_pages(std::vector<float>{1, -0.0F, 0.0F, 1, 0.0F}, 3, selected);
    EXPECT_THAT(selected, testing::ElementsAre(0, 1, 3));
}

TEST(Selection, a_score_that_is_not_a_number_ranks_last) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const TopPagesVariant& variant : top_pages_variants()) {
        PageList selected;
        variant.select(std::vector<float>{nan, -infinity, -nan, 2.0F}, 2, selected);
        EXPECT_THAT(selected, testing::ElementsAre(1, 3)) << variant.name;
    }
}

RC_GTEST_PROP(Selection, pinned_pages_are_in_and_count_within_the_budget, ()) {
    const auto pages = *rc::gen::inRange<std::int64_t>(1, 200);
    const PinnedPages pinned{*rc::gen::inRange<std::int64_t>(0, 5),
                             *rc::gen::inRange<std::int64_t>(0, 5)};
    const auto budget = *rc::gen::inRange<std::int64_t>(pinned.sink + pinned.recent, 210);
    // Finite scores: a page that scores +infinity itself is as good as pinned.
    auto scores =
        normal_values(static_cast<std::size_t>(pages), *rc::gen::arbitrary<std::uint32_t>());
    const auto unpinned = scores;
    pin_pages(scores, pinned);
    PageList selected;
    select_top_pages(scores, budget, selected);

    RC_ASSERT(static_cast<std::int64_t>(selected.size()) == std::min(budget, pages));
    PageList expected;
    PageList middle;
    for (std::int64_t page = 0; page < pages; ++page) {
        const bool pin = page < pinned.sink || page >= pages - pinned.recent;
        (pin ? expected : middle).push_back(static_cast<PageIndex>(page));
    }
    const auto left = budget - static_cast<std::int64_t>(expected.size());
    std::vector<float> middle_scores;
    for (const PageIndex page : middle) middle_scores.push_back(unpinned[page]);
    for (const PageIndex at : pick_one_by_one(middle_scores, left)) expected.push_back(middle[at]);
    std::sort(expected.begin(), expected.end());
    RC_ASSERT(selected == expected);
}

TEST(Selection, a_budget_that_cannot_hold_the_pinned_pages_is_refused) {
    EXPECT_TRUE(check_budget(128, 32, {2, 2}, "--budget").ok());
    EXPECT_TRUE(check_budget(97, 32, {2, 2}, "--budget").ok());
    EXPECT_EQ(check_budget(96, 32, {2, 2}, "--budget").error().message(),
              "--budget: 96 tokens are 3 pages of 32, fewer than the 2 sink and 2 recent pages; "
              "allowed: at least 128 tokens");
}

RC_GTEST_PROP(Selection, top_bottom_and_ranking_agree_with_one_sort, ()) {
    const auto pages = static_cast<std::size_t>(*rc::gen::inRange(1, 120));
    const auto scores = some_scores(pages, *rc::gen::arbitrary<std::uint32_t>());
    const PageList candidates =
        *rc::gen::map(rc::gen::unique<std::vector<PageIndex>>(
                          rc::gen::inRange<PageIndex>(0, static_cast<PageIndex>(pages))),
                      [](std::vector<PageIndex> list) {
                          std::sort(list.begin(), list.end());
                          return list;
                      });
    const auto count =
        *rc::gen::inRange<std::int64_t>(0, static_cast<std::int64_t>(candidates.size()) + 3);

    std::vector<PageIndex> order = candidates;
    std::stable_sort(order.begin(), order.end(),
                     [&](PageIndex a, PageIndex b) { return scores[a] > scores[b]; });
    const auto taken = std::min(static_cast<std::ptrdiff_t>(count), std::ssize(order));
    PageList first(order.begin(), order.begin() + taken);
    PageList last(order.end() - taken, order.end());
    std::sort(first.begin(), first.end());
    std::sort(last.begin(), last.end());
    RC_ASSERT(ranked(scores, candidates) == order);
    RC_ASSERT(top_of(scores, candidates, count) == first);
    RC_ASSERT(bottom_of(scores, candidates, count) == last);
}

RC_GTEST_PROP(Groups, grouped_scores_equal_a_loop_over_the_heads, ()) {
    const auto kv_heads = *rc::gen::inRange<std::int64_t>(1, 5);
    const auto heads = kv_heads * *rc::gen::inRange<std::int64_t>(1, 5);
    const auto pages = *rc::gen::inRange<std::int64_t>(0, 20);
    const auto per = *rc::gen::element(SelectPer::layer, SelectPer::kv_head, SelectPer::query_head);
    const auto how = *rc::gen::element(GroupScore::mean, GroupScore::max);
    const auto scores = normal_values(static_cast<std::size_t>(heads * pages),
                                      *rc::gen::arbitrary<std::uint32_t>());
    const std::int64_t groups = group_count(per, heads, kv_heads);
    std::vector<float> grouped(static_cast<std::size_t>(groups * pages));
    group_scores(scores, heads, kv_heads, per, how, grouped);

    for (std::int64_t page = 0; page < pages; ++page) {
        for (std::int64_t group = 0; group < groups; ++group) {
            double sum = 0.0;
            double size = 0.0;
            double highest = -std::numeric_limits<double>::infinity();
            double magnitude = 0.0;
            for (std::int64_t head = 0; head < heads; ++head) {
                const std::int64_t its_group = per == SelectPer::layer ? 0
                                               : per == SelectPer::kv_head
                                                   ? head / (heads / kv_heads)
                                                   : head;
                if (its_group != group) continue;
                const double score = scores[static_cast<std::size_t>(head * pages + page)];
                sum += score;
                size += 1.0;
                highest = std::max(highest, score);
                magnitude += std::abs(score);
            }
            const double expected = how == GroupScore::mean ? sum / size : highest;
            RC_ASSERT(std::abs(grouped[static_cast<std::size_t>(group * pages + page)] -
                               expected) <= 1e-6 * magnitude);
        }
    }
}

TEST(Groups, names_are_those_of_the_command_line) {
    for (const char* name : {"layer", "kv-head", "query-head"}) {
        EXPECT_EQ(select_per_name(*parse_select_per(name, "--select-per")), name);
    }
    for (const char* name : {"mean", "max"}) {
        EXPECT_EQ(group_score_name(*parse_group_score(name, "--group-score")), name);
    }
    EXPECT_EQ(parse_select_per("kvhead", "--select-per").error().message(),
              "--select-per: unknown selection group 'kvhead'; did you mean 'kv-head'?");
}

}  // namespace
}  // namespace memside::kv
