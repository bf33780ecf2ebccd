#include "kv/residency.h"

#include <rapidcheck/gtest.h>

#include <numeric>
#include <set>

#include "kv/random_scores.h"
#include "kv/residency_mask.h"
#include "kv/selection.h"

namespace memside::kv {
namespace {

using PageSet = std::set<PageIndex>;

// Every page in the order of S: by score, descending, ties by index.
std::vector<PageIndex> order_of(const std::vector<float>& scores) {
    std::vector<PageIndex> order(scores.size());
    std::iota(order.begin(), order.end(), PageIndex{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](PageIndex a, PageIndex b) { return scores[a] > scores[b]; });
    return order;
}

struct Moves {
    PageSet recalled;
    PageSet evicted;
};

// r = S[:K] - P; evict the lowest of P - S[:K] until P + r fits the pool. Written from the paper's
// sentence, one page at a time.
Moves slow_recall(const std::vector<PageIndex>& order, std::int64_t budget, const PageSet& resident,
                  std::int64_t pool) {
    const PageSet selected(order.begin(), order.begin() + budget);
    Moves moves;
    for (const PageIndex page : selected) {
        if (!resident.contains(page)) moves.recalled.insert(page);
    }
    auto lowest = order.rbegin();
    while (static_cast<std::int64_t>(resident.size() + moves.recalled.size() -
                                     moves.evicted.size()) > pool) {
        while (!resident.contains(*lowest) || selected.contains(*lowest)) ++lowest;
        moves.evicted.insert(*lowest++);
    }
    return moves;
}

// e = P - S[:T]; r = first |e| of S[:T] - P in score order.
Moves slow_steady(const std::vector<PageIndex>& order, std::int64_t budget,
                  const PageSet& resident) {
    const PageSet selected(order.begin(), order.begin() + budget);
    Moves moves;
    for (const PageIndex page : resident) {
        if (!selected.contains(page)) moves.evicted.insert(page);
    }
    for (auto page = order.begin(); page != order.begin() + budget; ++page) {
        if (moves.recalled.size() == moves.evicted.size()) break;
        if (!resident.contains(*page)) moves.recalled.insert(*page);
    }
    return moves;
}

PageList list_of(const PageSet& set) {
    return {set.begin(), set.end()};
}

// A step of random scores and a random resident set.
struct Step {
    std::vector<float> scores;
    std::vector<PageIndex> order;
    std::int64_t pages;
    std::int64_t budget;
    PageList selected;
    PageSet resident;
};

// Residents: `least` to `most` times the budget, as far as there are pages.
Step some_step(std::int64_t least, std::int64_t most) {
    Step step;
    step.pages = *rc::gen::inRange<std::int64_t>(1, 300);
    step.budget = *rc::gen::inRange<std::int64_t>(1, step.pages + 1);
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    step.scores = some_scores(static_cast<std::size_t>(step.pages), seed);
    step.order = order_of(step.scores);
    select_top_pages(step.scores, step.budget, step.selected);

    const auto residents = *rc::gen::inRange<std::int64_t>(
        least * step.budget, std::min(step.pages, most * step.budget) + 1);
    std::vector<PageIndex> shuffled(static_cast<std::size_t>(step.pages));
    std::iota(shuffled.begin(), shuffled.end(), PageIndex{0});
    std::mt19937 random(seed);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    step.resident = PageSet(shuffled.begin(), shuffled.begin() + residents);
    return step;
}

RC_GTEST_PROP(Residency, recall_moves_what_the_papers_rule_moves, ()) {
    const Step step = some_step(0, 4);
    const auto least = std::max(step.budget, static_cast<std::int64_t>(step.resident.size()));
    const auto pool = *rc::gen::inRange(least, least + 20);
    const Moves expected = slow_recall(step.order, step.budget, step.resident, pool);

    const PageList resident = list_of(step.resident);
    const auto change = recall_change(step.scores, step.selected, resident, pool);
    RC_ASSERT(change.recalled == list_of(expected.recalled));
    RC_ASSERT(change.evicted == list_of(expected.evicted));

    const PageList after = resident_after(resident, change);
    RC_ASSERT(static_cast<std::int64_t>(after.size()) <= pool);
    RC_ASSERT(pages_without(step.selected, after).empty());

    const auto by_mask =
        recall_change_by_mask(ranked(step.scores, step.order), step.budget, resident, pool);
    RC_ASSERT(by_mask.recalled == change.recalled);
    RC_ASSERT(by_mask.evicted == change.evicted);
}

RC_GTEST_PROP(Residency, a_full_pool_evicts_as_many_as_it_recalls, ()) {
    const Step step = some_step(1, 4);
    const auto change = recall_change(step.scores, step.selected, list_of(step.resident),
                                      static_cast<std::int64_t>(step.resident.size()));
    RC_ASSERT(change.recalled.size() == change.evicted.size());
}

RC_GTEST_PROP(Residency, steady_selection_moves_what_the_papers_rule_moves, ()) {
    const Step step = some_step(0, 1);
    const Moves expected = slow_steady(step.order, step.budget, step.resident);

    const PageList resident = list_of(step.resident);
    const auto pool = static_cast<std::int64_t>(resident.size());
    const auto change = steady_change(step.scores, step.selected, resident, pool);
    RC_ASSERT(change.recalled == list_of(expected.recalled));
    RC_ASSERT(change.evicted == list_of(expected.evicted));

    // The pool keeps its size, and holds only pages of the budget set afterwards.
    const PageList after = resident_after(resident, change);
    RC_ASSERT(after.size() == resident.size());
    RC_ASSERT(pages_without(after, step.selected).empty());

    const auto by_mask =
        steady_change_by_mask(step.pages, ranked(step.scores, step.selected), resident);
    RC_ASSERT(by_mask.recalled == change.recalled);
    RC_ASSERT(by_mask.evicted == change.evicted);
}

RC_GTEST_PROP(Residency, steady_recalls_equal_the_residents_that_dropped_out, ()) {
    const Step step = some_step(0, 1);
    const PageList resident = list_of(step.resident);
    const auto change = steady_change(step.scores, step.selected, resident,
                                      static_cast<std::int64_t>(resident.size()));
    std::size_t dropped_out = 0;
    for (const PageIndex page : resident) {
        dropped_out += std::ranges::count(step.selected, page) == 0 ? 1U : 0U;
    }
    RC_ASSERT(change.recalled.size() == dropped_out);
}

TEST(Residency, a_worked_example_tells_the_two_algorithms_apart) {
    // S = 3, 0, 4, 1, 2; budget 3, so S[:K] = {0, 3, 4}.
    const std::vector<float> scores{5, 2, 1, 9, 4};
    const PageList selected{0, 3, 4};
    // Recall with P = {0, 1, 2}: 3 and 4 are missing, 1 and 2 have to go.
    const auto recall = recall_change(scores, selected, PageList{0, 1, 2}, 3);
    EXPECT_THAT(recall.recalled, testing::ElementsAre(3, 4));
    EXPECT_THAT(recall.evicted, testing::ElementsAre(1, 2));
    // Steady with P = {0, 1}: only 1 dropped out, and 3 ranks before 4.
    const auto steady = steady_change(scores, selected, PageList{0, 1}, 2);
    EXPECT_THAT(steady.recalled, testing::ElementsAre(3));
    EXPECT_THAT(steady.evicted, testing::ElementsAre(1));
}

RC_GTEST_PROP(Pages, set_operations_equal_those_of_std_set, ()) {
    const auto some_list =
        rc::gen::map(rc::gen::unique<std::vector<PageIndex>>(rc::gen::inRange<PageIndex>(0, 200)),
                     [](std::vector<PageIndex> list) {
                         std::sort(list.begin(), list.end());
                         return list;
                     });
    const PageList a = *some_list;
    const PageList b = *some_list;
    PageSet difference(a.begin(), a.end());
    PageSet either(a.begin(), a.end());
    for (const PageIndex page : b) {
        difference.erase(page);
        either.insert(page);
    }
    RC_ASSERT(pages_without(a, b) == list_of(difference));
    RC_ASSERT(count_without(a, b) == static_cast<std::int64_t>(difference.size()));
    RC_ASSERT(pages_of_either(a, b) == list_of(either));
    RC_ASSERT(PageMask(200, a).list() == a);
    RC_ASSERT(PageMask(200, a).without(PageMask(200, b)).count() ==
              static_cast<std::int64_t>(difference.size()));
    RC_ASSERT(is_page_list(a));
}

TEST(Residency, the_table_has_the_policies_and_what_each_keeps) {
    EXPECT_EQ(residency_variant("recall").kept(100, 30), 100);
    EXPECT_EQ(residency_variant("steady").kept(100, 30), 30);
    EXPECT_EQ(residency_variant("steady").kept(20, 30), 20);
    EXPECT_EQ(residency_variant("none").kept(100, 30), 0);
    EXPECT_EQ(residency_variants().size(), 3U);
}

}  // namespace
}  // namespace memside::kv
