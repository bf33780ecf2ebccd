#include "tune/candidates.h"

#include <rapidcheck/gtest.h>

#include <set>

#include "tune/spaces.h"

namespace memside::tune {
namespace {

TEST(Candidates, are_the_distinct_valid_points_in_order) {
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 5, 2}));
    // By the slow way: all settings, those that stand for themselves and keep the limit.
    std::vector<Point> expected;
    for (std::uint8_t a = 0; a < 6; ++a) {
        for (std::uint8_t b = 0; b < 4; ++b) {
            for (std::uint8_t c = 0; c < 2; ++c) {
                if (a + b <= 6) expected.push_back({a, b, c});
            }
        }
    }
    ASSERT_EQ(list->size(), expected.size());
    for (CandidateId id = 0; id < list->size(); ++id) EXPECT_EQ(list->point(id), expected[id]);
}

TEST(Candidates, a_setting_is_found_by_what_it_means) {
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 5, 2}));
    const auto clamped = list->find({1, 4, 1});
    ASSERT_TRUE(clamped.has_value());
    EXPECT_EQ(list->point(*clamped), (Point{1, 3, 1}));
    EXPECT_FALSE(list->find({5, 3, 0}).has_value());
    EXPECT_EQ(list->with(*clamped, 1, 4), *clamped);
    EXPECT_EQ(list->with(*clamped, 0, 5), std::nullopt);
}

TEST(Candidates, features_are_knob_values_and_then_those_of_the_space) {
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 5, 2}));
    const CandidateId id = *list->find({2, 3, 1});
    const auto row = list->features().row(id);
    EXPECT_EQ(std::vector<float>(row.begin(), row.end()), (std::vector<float>{4, 8, 2, 32}));
    EXPECT_EQ(list->text(id), "k0=4 k1=8 k2=2");
}

class WordSpace : public PlainSpace {
  public:
    WordSpace() : PlainSpace({1}), words_{{"layout", {"nhwc", "tiled", "3"}}} {}
    const std::vector<Knob>& knobs() const override { return words_; }

  private:
    std::vector<Knob> words_;
};

TEST(Candidates, values_that_are_no_numbers_count_as_their_places) {
    const auto list = listed(std::make_shared<WordSpace>());
    EXPECT_EQ(list->features().values, (std::vector<float>{0, 1, 2}));
}

class EmptySpace : public PlainSpace {
  public:
    using PlainSpace::PlainSpace;
    std::string why_invalid(const Point& /*point*/) const override { return "no room"; }
};

TEST(Candidates, a_space_without_a_valid_point_says_why) {
    const auto made = Candidates::of(std::make_shared<EmptySpace>(std::vector<std::size_t>{2, 2}));
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().message(), "the search space: has no valid point (k0=1 k1=1: no room)");
}

TEST(Candidates, a_space_beyond_listing_is_refused) {
    const std::vector<std::size_t> sizes(8, 7);
    const auto made = Candidates::of(std::make_shared<PlainSpace>(sizes));
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().exit_status(), 1);
}

RC_GTEST_PROP(Candidates, a_mutation_is_another_valid_point_one_setting_away,
              (std::uint64_t seed)) {
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 5, 3}));
    Random random({seed});
    const auto from = static_cast<CandidateId>(random.below(list->size()));
    const CandidateId to = list->mutate(from, random);
    RC_ASSERT(to != from);
    int changed = 0;
    for (std::size_t k = 0; k < 3; ++k) changed += list->point(from)[k] != list->point(to)[k];
    RC_ASSERT(changed == 1);
}

TEST(Candidates, mutations_reach_every_neighbour) {
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{6, 5, 3}));
    std::set<CandidateId> expected;
    const CandidateId from = *list->find({3, 2, 1});
    for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t v = 0; v < list->knobs()[k].values.size(); ++v) {
            const auto id = list->with(from, k, v);
            if (id && *id != from) expected.insert(*id);
        }
    }
    std::set<CandidateId> seen;
    Random random({7});
    for (int i = 0; i < 1000; ++i) seen.insert(list->mutate(from, random));
    EXPECT_EQ(seen, expected);
}

TEST(Candidates, a_lone_candidate_mutates_to_itself) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{1, 1}));
    Random random({1});
    EXPECT_EQ(list->mutate(0, random), 0);
}

}  // namespace
}  // namespace memside::tune
