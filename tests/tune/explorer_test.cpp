#include "tune/explorer.h"

#include <rapidcheck/gtest.h>

#include <set>

#include "tune/spaces.h"

namespace memside::tune {
namespace {

using Score = std::function<double(const Candidates&, CandidateId)>;

// A whole search in the order of its trials: first batch, then plans, up to `trials`.
std::vector<CandidateId> search(const Method& method, std::shared_ptr<const Candidates> list,
                                std::uint64_t seed, std::size_t plan, std::size_t trials,
                                const Score& score) {
    const auto explorer = method.make(list, seed, plan);
    std::vector<CandidateId> order = first_batch(*list, seed, plan);
    std::vector<CandidateId> batch = order;
    while (!batch.empty()) {
        std::vector<Observation> results;
        for (const CandidateId id : batch) results.push_back({id, score(*list, id)});
        explorer->observe(results);
        batch = explorer->propose(std::min(plan, trials - std::min(trials, order.size())));
        order.insert(order.end(), batch.begin(), batch.end());
    }
    return order;
}

Method method_of(const std::string& text) {
    const auto method = parse_method(text, "test");
    EXPECT_TRUE(method.ok());
    return *method;
}

std::vector<Method> every_method() {
    std::vector<Method> all;
    for (const std::string& name : explorer_names()) all.push_back(method_of(name));
    all.push_back(method_of("distinct:mutations=1,apart=0"));
    all.push_back(method_of("distinct:pool=score"));
    all.push_back(method_of("distinct:distance=steps,apart=3"));
    all.push_back(method_of("annealing:model=nearest"));
    return all;
}

TEST(Explorer, finds_the_best_point_of_a_separable_space) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4, 4, 2}));
    const CandidateId best = *list->find({2, 1, 0, 2, 1});
    ASSERT_EQ(separable_score(*list, best), 1.0);
    for (const char* name : {"distinct", "annealing", "annealing-filter", "genetic", "droplet"}) {
        const auto order = search(method_of(name), list, 1, 64, 448, separable_score);
        EXPECT_NE(std::find(order.begin(), order.end(), best), order.end()) << name;
    }
}

TEST(Explorer, coordinate_descent_goes_straight_to_the_top_of_a_separable_space) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4, 4, 2}));
    const CandidateId best = *list->find({2, 1, 0, 2, 1});
    // From anywhere at most 2 + 3 + 3 + 2 + 1 moves, each of at most 9 trials.
    const auto order = search(method_of("droplet"), list, 3, 1, 1 + 11 * 9, separable_score);
    EXPECT_NE(std::find(order.begin(), order.end(), best), order.end());
}

TEST(Explorer, guided_search_beats_chance_on_a_rugged_space) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4, 4, 5}));
    const auto score = [](const Candidates& c, CandidateId id) { return rugged_score(c, id); };
    // Means over seeds of the best score after 192 trials.
    const auto mean_best = [&](const char* name) {
        double sum = 0;
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            double best = 0;
            for (const CandidateId id : search(method_of(name), list, seed, 64, 192, score)) {
                best = std::max(best, score(*list, id));
            }
            sum += best;
        }
        return sum / 8;
    };
    const double chance = mean_best("random");
    for (const char* name : {"distinct", "annealing", "annealing-filter", "genetic", "droplet"}) {
        EXPECT_GT(mean_best(name), chance) << name;
    }
}

RC_GTEST_PROP(Explorer, proposes_every_valid_point_once_and_no_other, ()) {
    const std::size_t a = *rc::gen::inRange<std::size_t>(1, 7);
    const std::size_t b = *rc::gen::inRange<std::size_t>(1, 7);
    const std::size_t c = *rc::gen::inRange<std::size_t>(1, 5);
    const std::size_t plan = *rc::gen::inRange<std::size_t>(1, 80);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto list = listed(std::make_shared<TiledSpace>(std::vector<std::size_t>{a, b, c}));
    // A third of the candidates fail.
    const auto score = [](const Candidates& all, CandidateId id) {
        return id % 3 == 1 ? 0.0 : rugged_score(all, id);
    };
    for (const Method& method : every_method()) {
        const auto order =
            search(method, list, seed, std::max<std::size_t>(plan, 8), 10'000, score);
        RC_ASSERT(order.size() == list->size());
        RC_ASSERT(std::set<CandidateId>(order.begin(), order.end()).size() == list->size());
    }
}

TEST(Explorer, goes_on_when_everything_fails) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{4, 4, 4}));
    const auto nothing = [](const Candidates&, CandidateId) { return 0.0; };
    for (const Method& method : every_method()) {
        EXPECT_EQ(search(method, list, 1, 16, 1000, nothing).size(), 64) << method.text;
    }
}

TEST(Explorer, the_same_seed_gives_the_same_proposals_and_another_seed_others) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4, 4, 2}));
    const auto score = [](const Candidates& c, CandidateId id) { return rugged_score(c, id); };
    for (const Method& method : every_method()) {
        const auto order = search(method, list, 5, 32, 160, score);
        EXPECT_EQ(order, search(method, list, 5, 32, 160, score)) << method.text;
        EXPECT_NE(order, search(method, list, 6, 32, 160, score)) << method.text;
    }
}

TEST(Explorer, all_methods_share_the_first_batch) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4}));
    const auto first = first_batch(*list, 9, 16);
    EXPECT_EQ(std::set<CandidateId>(first.begin(), first.end()).size(), 16);
    for (const Method& method : every_method()) {
        const auto order = search(method, list, 9, 16, 32, separable_score);
        EXPECT_TRUE(std::equal(first.begin(), first.end(), order.begin())) << method.text;
    }
    EXPECT_EQ(first_batch(*list, 9, 1000).size(), list->size());
}

TEST(Explorer, exhaustive_goes_in_order_and_a_grid_from_coarse_to_fine) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 3}));
    const auto all = make_exhaustive(list, {})->propose(100);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    std::vector<Point> grid;
    for (const CandidateId id : make_grid(list, {})->propose(9)) grid.push_back(list->point(id));
    const std::vector<Point> expected{{0, 0}, {0, 2}, {4, 0}, {4, 2}, {0, 1},
                                      {2, 0}, {2, 1}, {2, 2}, {4, 1}};
    EXPECT_EQ(grid, expected);
}

// Pairs of a batch that differ in one knob alone.
std::size_t close_pairs(const std::string& method) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{6, 6, 5, 5, 4}));
    const Distances distance(*list, Distance::knobs);
    const auto explorer = method_of(method).make(list, 2, 16);
    std::vector<Observation> results;
    for (const CandidateId id : first_batch(*list, 2, 16)) {
        results.push_back({id, rugged_score(*list, id)});
    }
    explorer->observe(results);
    std::size_t close = 0;
    const auto batch = explorer->propose(16);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) close += distance(batch[i], batch[j]) < 2 ? 1U : 0U;
    }
    return close;
}

TEST(Explorer, a_thinned_batch_has_fewer_neighbours) {
    EXPECT_LT(close_pairs("distinct:apart=2"), close_pairs("distinct:apart=0"));
    EXPECT_EQ(close_pairs("distinct:apart=2,thin-ratio=16"), 0);
}

TEST(Explorer, a_method_that_is_misspelt_gets_a_suggestion) {
    EXPECT_EQ(parse_method("anealing", "--search").error().message(),
              "--search: unknown value 'anealing'; did you mean 'annealing'? (allowed: distinct, "
              "annealing, annealing-filter, genetic, droplet, random, grid, exhaustive)");
    EXPECT_EQ(parse_method("distinct:mutation=2", "--search").error().message(),
              "--search: unknown option 'mutation'; did you mean 'mutations'?");
    EXPECT_FALSE(parse_method("distinct:apart=x", "--search").ok());
    EXPECT_FALSE(parse_method("distinct:", "--search").ok());
    EXPECT_FALSE(parse_method("", "--search").ok());
}

}  // namespace
}  // namespace memside::tune
