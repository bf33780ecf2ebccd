#include "cluster/batch.h"

#include <rapidcheck/gtest.h>

#include <algorithm>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"

namespace memside {
namespace {

using testing::HasSubstr;

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

TEST(Workload, csv_finds_its_column_by_name) {
    const auto requests = parse_workload_csv("id,context_tokens\n1,128K\n2, 4096 \n", "w.csv");
    ASSERT_TRUE(requests.ok());
    ASSERT_EQ(requests->size(), 2U);
    EXPECT_EQ((*requests)[0].context_tokens, 131072);
    EXPECT_EQ((*requests)[1].context_tokens, 4096);
}

TEST(Workload, jsonl_is_an_object_a_line) {
    const auto requests =
        parse_workload_jsonl("{\"context_tokens\": 10}\n\n{\"context_tokens\": 10}\n", "w.jsonl");
    ASSERT_TRUE(requests.ok());
    EXPECT_EQ(request_count(*requests), 2);
}

TEST(Workload, errors_name_the_line) {
    const std::pair<const char*, const char*> csv[] = {
        {"", "holds no request"},
        {"id\n1\n", "w.csv:1: the header line has no column 'context_tokens'"},
        {"id,context_tokens\n1\n", "w.csv:2: has no value"},
        {"context_tokens\n5\n-5\n", "w.csv:3: '-5' is out of range"},
    };
    for (const auto& [text, says] : csv) {
        const auto requests = parse_workload_csv(text, "w.csv");
        ASSERT_FALSE(requests.ok());
        EXPECT_THAT(requests.error().message(), HasSubstr(says));
    }
    for (const char* text : {"{", "[1]", "{\"context_tokens\": 1.5}", "{\"tokens\": 3}"}) {
        const auto requests = parse_workload_jsonl(text, "w.jsonl");
        ASSERT_FALSE(requests.ok());
        EXPECT_THAT(requests.error().message(), HasSubstr("w.jsonl:1: "));
    }
}

SimulationRequest mixed(Placement placement) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(1, 2);
    request.policy = "pnm-kv";
    request.workload = {{40000, 1}, {4000, 1}, {40000, 1}, {4000, 1}};
    request.placement = placement;
    return request;
}

TEST(Workload, the_step_takes_as_long_as_the_fullest_device) {
    const auto turns = simulate(mixed(Placement::round_robin));
    const auto longest_first = simulate(mixed(Placement::lpt));
    EXPECT_EQ(turns->batch, 4);
    EXPECT_EQ(turns->context_tokens, 22000);
    EXPECT_NEAR(*turns->load_imbalance, 80000.0 / 44000.0, 0.01);
    EXPECT_NEAR(*longest_first->load_imbalance, 1.0, 0.01);
    EXPECT_GT(*turns->tpot_s, *longest_first->tpot_s);
    EXPECT_NEAR(*turns->kv_bytes_read_per_step, *longest_first->kv_bytes_read_per_step,
                1e-9 * *turns->kv_bytes_read_per_step);
}

TEST(Workload, alike_requests_from_a_file_are_the_batch_of_the_command_line) {
    SimulationRequest file = mixed(Placement::lpt);
    file.workload = {{40000, 6}};
    SimulationRequest line = mixed(Placement::lpt);
    line.workload.clear();
    line.context_tokens = 40000;
    line.batch = 6;
    EXPECT_DOUBLE_EQ(*simulate(file)->tpot_s, *simulate(line)->tpot_s);
}

}  // namespace
}  // namespace memside
