#include "cluster/batch.h"

#include <rapidcheck/gtest.h>

#include <algorithm>

namespace memside {
namespace {

double tokens_on(const Requests& requests) {
    return mean_context(requests) * static_cast<double>(request_count(requests));
}

double fullest(const std::vector<Requests>& by_device) {
    double most = 0.0;
    for (const Requests& device : by_device) most = std::max(most, tokens_on(device));
    return most;
}

double by_tokens(std::int64_t context) {
    return static_cast<double>(context);
}

TEST(Placement, alike_requests_are_spread_evenly) {
    const auto devices = place({{1000, 10}}, 4, Placement::lpt, by_tokens);
    std::vector<std::int64_t> counts;
    for (const Requests& device : devices) counts.push_back(request_count(device));
    EXPECT_THAT(counts, testing::ElementsAre(3, 3, 2, 2));
}

TEST(Placement, longest_first_balances_what_turns_leave_uneven) {
    const Requests requests{{4, 1}, {1, 1}, {4, 1}, {1, 1}};
    EXPECT_EQ(fullest(place(requests, 2, Placement::round_robin, by_tokens)), 8.0);
    EXPECT_EQ(fullest(place(requests, 2, Placement::lpt, by_tokens)), 5.0);
}

RC_GTEST_PROP(Placement, longest_first_is_within_four_thirds_of_any_bound, ()) {
    // Graham (1969): at most 4/3 - 1/(3m) of the optimum, which is at least the mean load and the
    // longest request. Against the bound alone, (4/3) x optimum <= mean + longest.
    const int devices = *rc::gen::inRange(1, 9);
    Requests requests;
    for (int i = *rc::gen::inRange(1, 30); i > 0; --i) {
        requests.push_back({*rc::gen::inRange<std::int64_t>(1, 1000), 1});
    }
    const auto placed = place(requests, devices, Placement::lpt, by_tokens);
    double longest = 0.0;
    double total = 0.0;
    std::int64_t count = 0;
    for (const RequestGroup& group : requests) {
        longest = std::max(longest, by_tokens(group.context_tokens));
        total += by_tokens(group.context_tokens);
    }
    for (const Requests& device : placed) count += request_count(device);
    RC_ASSERT(count == std::ssize(requests));
    RC_ASSERT(fullest(placed) <= total / devices + longest * (1.0 - 1.0 / devices) + 1e-6);
}

}  // namespace
}  // namespace memside
