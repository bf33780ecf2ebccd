// The loop of continuous batching: closed forms on round numbers, and what always holds.
#include "cluster/serving.h"

#include <rapidcheck/gtest.h>

#include <numeric>

#include "cluster/toy_serving.h"

namespace memside {
namespace {

using testing::HasSubstr;

constexpr ServingOptions exact{1, {}};

ServedResult served(const Workload& workload, StepModel& model, ServingOptions options = exact) {
    auto result = serve(workload, model, options);
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result->reason, "");
    return *std::move(result);
}

TEST(Serving, one_request_takes_the_sum_of_its_steps) {
    ToyStepModel model(1000, 1);
    model.token_s = 0.01;
    const ServedResult result = served(toy_workload({{100, 10, 0.0}}), model);
    // 10 steps with 100 to 109 tokens.
    const double expected = 10 * 1.0 + 0.01 * (100 + 109) * 10 / 2;
    EXPECT_NEAR(result.simulated_s, expected, 1e-9);
    EXPECT_EQ(result.steps, 10);
    EXPECT_EQ(result.tokens, 10);
    EXPECT_NEAR(result.batch, 1.0, 1e-12);
    EXPECT_NEAR(result.tpot_s, expected / 10, 1e-9);
    EXPECT_NEAR(result.tpot_p50_s, 1.0 + 0.01 * 104, 1e-9);  // the fifth of ten
    EXPECT_NEAR(result.tpot_p99_s, 1.0 + 0.01 * 109, 1e-9);
    EXPECT_EQ(result.queue_s, 0.0);
}

TEST(Serving, two_equal_requests_decode_together) {
    ToyStepModel model(1000, 1);
    model.token_s = 0.01;
    const ServedResult result = served(toy_workload({{100, 10, 0.0}, {100, 10, 0.0}}), model);
    EXPECT_NEAR(result.simulated_s, 10 * 1.0 + 2 * 0.01 * (100 + 109) * 10 / 2, 1e-9);
    EXPECT_EQ(result.steps, 10);
    EXPECT_EQ(result.tokens, 20);
    EXPECT_NEAR(result.batch, 2.0, 1e-12);
    EXPECT_EQ(result.largest_batch, 2);
}

TEST(Serving, what_does_not_fit_waits_until_room_is_given_back) {
    ToyStepModel model(150, 1);
    const ServedResult result =
        served(toy_workload({{100, 10, 0.0}, {100, 10, 0.0}, {10, 5, 0.0}}), model);
    // The third would fit beside the first, but does not overtake the second.
    EXPECT_EQ(result.requests[0].join_s, 0.0);
    EXPECT_EQ(result.requests[1].join_s, 10.0);
    EXPECT_EQ(result.requests[2].join_s, 10.0);
    EXPECT_NEAR(result.queue_s, 20.0 / 3, 1e-12);
    EXPECT_EQ(result.queue_p95_s, 10.0);
    EXPECT_EQ(result.simulated_s, 20.0);
    EXPECT_NEAR(result.waiting, 1.0, 1e-12);  // two for half of the time
    EXPECT_NEAR(result.batch, 25.0 / 20, 1e-12);
}

TEST(Serving, arrivals_far_apart_leave_the_system_idle_between) {
    ToyStepModel model(1000, 1);
    std::vector<ServedRequest> requests;
    for (int i = 0; i < 5; ++i) requests.push_back({100, 4, 10.0 * i});
    const ServedResult result = served(toy_workload(requests), model);
    EXPECT_EQ(result.simulated_s, 44.0);
    EXPECT_NEAR(result.batch, 20.0 / 44, 1e-12);
    EXPECT_EQ(result.queue_s, 0.0);
    EXPECT_EQ(result.tpot_s, 1.0);
    // 1 J in each of 20 steps, 2 W in four gaps of 6 s.
    ASSERT_EQ(result.energy_j.size(), 2U);
    EXPECT_EQ(result.energy_j[0].j_per_token, 20.0);
    EXPECT_NEAR(result.energy_j[1].j_per_token, 2 * 4 * 6.0, 1e-9);
}

TEST(Serving, a_request_joins_at_the_step_after_its_arrival) {
    ToyStepModel model(1000, 1);
    const ServedResult result = served(toy_workload({{100, 4, 0.0}, {100, 4, 1.5}}), model);
    EXPECT_EQ(result.requests[1].join_s, 2.0);
    EXPECT_EQ(result.queue_s, 0.25);
    EXPECT_EQ(result.simulated_s, 6.0);
    EXPECT_EQ(result.tokens, 8);
}

// Two requests of 50 tokens in chunks of 10 fill 110: at the 61st token of both one must go.
TEST(Serving, who_came_last_makes_room_and_comes_back_with_its_tokens) {
    ToyStepModel model(120, 10);
    const ServedResult result = served(toy_workload({{50, 20, 0.0}, {50, 20, 0.0}}), model);
    EXPECT_EQ(result.preemptions, 1);
    // Ten steps together (51 to 60 tokens each), ten of the first alone, ten of the second.
    EXPECT_EQ(result.simulated_s, 30.0);
    EXPECT_EQ(result.tokens, 40);
    EXPECT_EQ(result.requests[0].end_s, 20.0);
    EXPECT_EQ(result.requests[1].end_s, 30.0);
    EXPECT_EQ(result.requests[1].running_s, 20.0);
    // Its eleventh token came 11 s after the tenth.
    EXPECT_NEAR(result.tpot_s, (39 * 1.0 + 11.0) / 40, 1e-12);
    EXPECT_EQ(result.tpot_p95_s, 1.0);
    EXPECT_EQ(result.tpot_p99_s, 11.0);
    EXPECT_EQ(result.phases.back().name, "sent back");
    EXPECT_NEAR(result.phases.back().time_s, 10.0 / 40, 1e-12);
}

TEST(Serving, no_more_run_together_than_was_asked_for) {
    ToyStepModel model(1000, 1);
    const Workload workload = toy_workload(std::vector<ServedRequest>(5, {100, 10, 0.0}));
    const ServedResult result = served(workload, model, {1, 2});
    EXPECT_EQ(result.largest_batch, 2);
    EXPECT_EQ(result.simulated_s, 30.0);
    EXPECT_EQ(result.requests[4].join_s, 20.0);
}

TEST(Serving, a_request_that_never_fits_is_a_reason) {
    ToyStepModel model(100, 1);
    const auto result = serve(toy_workload({{10, 5, 0.0}, {90, 11, 0.0}}), model, exact);
    ASSERT_TRUE(result.ok());
    EXPECT_THAT(result->reason, HasSubstr("the longest request ends with 101 tokens"));
}

// The middle of a stretch: exact for a time that is linear in the tokens, up to half a token.
TEST(Serving, steps_that_share_a_cost_are_near_to_the_exact_loop) {
    std::vector<ServedRequest> requests;
    for (int i = 0; i < 40; ++i)
        requests.push_back({1000 + 37 * i % 500, 60 + 13 * i % 71, 3.0 * i});
    const Workload workload = toy_workload(requests);
    const auto run = [&](std::int64_t granule, std::int64_t& planned) {
        ToyStepModel model(9000, 16);
        model.base_s = 0.1;
        model.token_s = 1e-4;
        model.square_s = 1e-7;
        const ServedResult result = served(workload, model, {granule, {}});
        planned = model.planned;
        return result;
    };
    std::int64_t all = 0;
    std::int64_t some = 0;
    const ServedResult slow = run(1, all);
    const ServedResult fast = run(32, some);
    EXPECT_EQ(all, slow.steps);
    EXPECT_LT(some, all / 4);
    EXPECT_EQ(fast.tokens, slow.tokens);
    EXPECT_NEAR(fast.simulated_s, slow.simulated_s, 1e-3 * slow.simulated_s);
    EXPECT_NEAR(fast.tpot_s, slow.tpot_s, 2e-3 * slow.tpot_s);
    EXPECT_NEAR(fast.tpot_p95_s, slow.tpot_p95_s, 5e-3 * slow.tpot_p95_s);
    EXPECT_NEAR(fast.batch, slow.batch, 2e-3 * slow.batch);
    EXPECT_NEAR(fast.queue_s, slow.queue_s, 0.02 * slow.queue_s);
}

RC_GTEST_PROP(Serving, every_token_is_put_out_once_and_little_s_law_holds, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(1, 25);
    const auto capacity = *rc::gen::inRange<std::int64_t>(220, 1000);
    const auto chunk = *rc::gen::element<std::int64_t>(1, 7, 16);
    std::vector<ServedRequest> requests;
    double arrival_s = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        arrival_s += static_cast<double>(*rc::gen::inRange(0, 30));
        requests.push_back({*rc::gen::inRange<std::int64_t>(1, 150),
                            *rc::gen::inRange<std::int64_t>(1, 50), arrival_s});
    }
    const Workload workload = toy_workload(requests);
    ToyStepModel model(capacity, chunk);
    model.token_s = 0.001;
    const ServingOptions options{*rc::gen::element<std::int64_t>(1, 8, 32), {}};
    const auto result = serve(workload, model, options);
    RC_ASSERT(result.ok());
    RC_ASSERT(result->reason.empty());
    RC_ASSERT(result->tokens == workload.output_tokens());

    // Little: mean number = sum of the times spent / time, in the batch and in the queue.
    double running_s = 0.0;
    double waiting_s = 0.0;
    double joined_s = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        const ServedRequestTimes& times = result->requests[i];
        RC_ASSERT(times.join_s >= requests[i].arrival_s);
        RC_ASSERT(times.join_s >= joined_s);  // in the order of arrival
        joined_s = times.join_s;
        running_s += times.running_s;
        waiting_s += times.end_s - requests[i].arrival_s - times.running_s;
    }
    const double all_s = result->simulated_s;
    RC_ASSERT(std::abs(result->batch * all_s - running_s) < 1e-9 * all_s * 25);
    // A request that arrives during a step joins the queue of the counts at the next one.
    double unseen_s = 0.0;
    for (std::size_t i = 0; i < count; ++i) unseen_s += 1.0 + 0.001 * static_cast<double>(capacity);
    RC_ASSERT(result->waiting * all_s <= waiting_s + 1e-6);
    RC_ASSERT(result->waiting * all_s >= waiting_s - unseen_s);
    // Phases are what a token waits for.
    double phases_s = 0.0;
    for (const PhaseTime& phase : result->phases) phases_s += phase.time_s;
    RC_ASSERT(std::abs(phases_s - result->tpot_s) < 1e-8 * result->tpot_s);
    RC_ASSERT(result->tpot_p50_s <= result->tpot_p95_s);
    RC_ASSERT(result->tpot_p95_s <= result->tpot_p99_s);
    // Everything was given back.
    RC_ASSERT(model.memory().admit(0, capacity / chunk * chunk));
}

}  // namespace
}  // namespace memside
