#include "tune/distance.h"

#include <rapidcheck/gtest.h>

#include <set>

#include "tune/spaces.h"

namespace memside::tune {
namespace {

// Nine knobs, so that the packed form has a second word.
const std::shared_ptr<const Candidates>& wide() {
    static const auto list =
        listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{4, 3, 2, 2, 2, 2, 2, 2, 5}));
    return list;
}

RC_GTEST_PROP(Distance, is_what_counting_gives, (std::uint64_t seed)) {
    Random random({seed});
    const auto a = static_cast<CandidateId>(random.below(wide()->size()));
    const auto b = static_cast<CandidateId>(random.below(wide()->size()));
    int differing = 0;
    int steps = 0;
    for (std::size_t k = 0; k < 9; ++k) {
        const int d = std::abs(wide()->point(a)[k] - wide()->point(b)[k]);
        differing += d > 0 ? 1 : 0;
        steps += d;
    }
    RC_ASSERT(Distances(*wide(), Distance::knobs)(a, b) == differing);
    RC_ASSERT(Distances(*wide(), Distance::steps)(a, b) == steps);
}

// By the definition: each time the farthest from all that are chosen, found by comparing with each.
std::vector<std::size_t> farthest_by_definition(const std::vector<CandidateId>& pool,
                                                const std::vector<float>& scores,
                                                std::size_t count) {
    const Distances distance(*wide(), Distance::knobs);
    std::vector<std::size_t> chosen;
    while (chosen.size() < std::min(count, pool.size())) {
        std::optional<std::tuple<int, float, int>> best;
        for (std::size_t i = 0; i < pool.size(); ++i) {
            if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) continue;
            int nearest = 100;
            for (const std::size_t c : chosen) {
                nearest = std::min(nearest, distance(pool[i], pool[c]));
            }
            const std::tuple key{nearest, scores[i], -static_cast<int>(i)};
            if (!best || key > *best) best = key;
        }
        chosen.push_back(static_cast<std::size_t>(-std::get<2>(*best)));
    }
    return chosen;
}

RC_GTEST_PROP(Distance, the_most_distinct_are_farthest_from_those_chosen_before,
              (std::uint64_t seed)) {
    Random random({seed});
    std::vector<CandidateId> pool;
    std::vector<float> scores;
    for (int i = 0; i < 30; ++i) {
        pool.push_back(static_cast<CandidateId>(random.below(wide()->size())));
        scores.push_back(static_cast<float>(random.below(4)));
    }
    const std::size_t count = random.below(40);
    RC_ASSERT(most_distinct(Distances(*wide(), Distance::knobs), pool, scores, count) ==
              farthest_by_definition(pool, scores, count));
}

TEST(Distance, a_thinned_list_keeps_its_order_and_its_length) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{3, 3, 3}));
    const Distances distance(*list, Distance::knobs);
    const std::vector<CandidateId> pool{*list->find({0, 0, 0}), *list->find({0, 0, 1}),
                                        *list->find({1, 1, 0}), *list->find({1, 1, 2}),
                                        *list->find({2, 2, 2})};
    EXPECT_EQ(thinned(distance, pool, 2, 3), (std::vector<CandidateId>{pool[0], pool[2], pool[4]}));
    // Only three are far enough from each other: the best of the others are added.
    EXPECT_EQ(thinned(distance, pool, 2, 4),
              (std::vector<CandidateId>{pool[0], pool[2], pool[4], pool[1]}));
    EXPECT_EQ(thinned(distance, pool, 2, 9).size(), 5);
}

TEST(Distance, the_filter_prefers_values_that_no_one_has_yet) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{3, 3}));
    const std::vector<CandidateId> pool{*list->find({0, 0}), *list->find({0, 1}),
                                        *list->find({1, 1}), *list->find({2, 0}),
                                        *list->find({2, 2})};
    EXPECT_EQ(most_new_values(*list, pool, 3),
              (std::vector<CandidateId>{pool[0], pool[2], pool[4]}));
    EXPECT_EQ(most_new_values(*list, pool, 9).size(), 5);
}

}  // namespace
}  // namespace memside::tune
