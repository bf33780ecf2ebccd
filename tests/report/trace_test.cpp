#include "report/trace.h"

#include <nlohmann/json.hpp>

#include "report/sample_results.h"

namespace memside {
namespace {

using nlohmann::json;

std::vector<json> events_of(const json& trace, const std::string& kind) {
    std::vector<json> events;
    for (const json& event : trace["traceEvents"]) {
        if (event["ph"] == kind) events.push_back(event);
    }
    return events;
}

TEST(Trace, every_resource_is_a_named_thread_and_every_task_a_complete_event) {
    const SimulationResult result = samples::near_memory();
    const json trace = json::parse(to_trace(result));
    EXPECT_EQ(trace["displayTimeUnit"], "ms");
    std::vector<std::string> threads;
    for (const json& event : events_of(trace, "M")) {
        if (event["name"] == "thread_name") threads.push_back(event["args"]["name"]);
    }
    EXPECT_EQ(threads, result.timeline_resources);
    EXPECT_EQ(events_of(trace, "X").size(), result.timeline.size());
}

TEST(Trace, an_event_has_its_times_in_microseconds_and_its_work) {
    for (const json& event : events_of(json::parse(to_trace(samples::near_memory())), "X")) {
        if (event["name"] != "attend") continue;
        EXPECT_EQ(event["tid"], 3);
        EXPECT_DOUBLE_EQ(event["ts"].get<double>(), 367.5);
        EXPECT_DOUBLE_EQ(event["dur"].get<double>(), 1612);
        EXPECT_EQ(event["cat"], "attention");
        EXPECT_EQ(event["args"]["layer"], 0);
        EXPECT_EQ(event["args"]["bytes"], 1.6e9);
        EXPECT_EQ(event["args"]["flops"], 1.3e10);
        EXPECT_EQ(event["args"]["critical"], true);
        return;
    }
    FAIL() << "no event 'attend'";
}

TEST(Trace, a_task_outside_the_layers_has_no_layer) {
    const json trace = json::parse(to_trace(samples::near_memory()));
    EXPECT_TRUE(events_of(trace, "X").back()["args"]["layer"].is_null());
}

// Back-to-back tasks of lengths that no decimal hits must not come to overlap by rounding.
TEST(Trace, tasks_that_follow_each_other_do_not_overlap) {
    SimulationResult result = samples::near_memory();
    double now_s = 0;
    result.timeline.clear();
    for (int i = 0; i < 3000; ++i) {
        const double duration_s = 1e-6 / (1 + i % 7) + 1e-9 * (i % 13) / 3;
        result.timeline.push_back({"t", "fc", 0, i, now_s, duration_s, 0, 0, false});
        now_s += duration_s;
    }
    const auto events = events_of(json::parse(to_trace(result)), "X");
    ASSERT_EQ(events.size(), 3000u);
    for (std::size_t i = 1; i < events.size(); ++i) {
        // Whole nanoseconds, so that the sum is exact.
        const auto ns = [](const json& value) { return std::llround(value.get<double>() * 1e3); };
        EXPECT_LE(ns(events[i - 1]["ts"]) + ns(events[i - 1]["dur"]), ns(events[i]["ts"]));
        EXPECT_GE(ns(events[i]["dur"]), 0);
    }
}

TEST(Trace, the_order_of_tasks_does_not_depend_on_how_they_came) {
    SimulationResult shuffled = samples::near_memory();
    std::reverse(shuffled.timeline.begin(), shuffled.timeline.end());
    EXPECT_EQ(to_trace(shuffled), to_trace(samples::near_memory()));
}

TEST(Trace, a_result_without_a_timeline_is_still_a_trace) {
    EXPECT_TRUE(events_of(json::parse(to_trace(samples::nothing_fits())), "X").empty());
}

TEST(Trace, a_step_of_more_tasks_than_a_trace_holds_is_refused_with_the_limit) {
    EXPECT_TRUE(check_trace_size(max_trace_tasks, "--trace").ok());
    const Status refused = check_trace_size(max_trace_tasks + 1, "--trace");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().exit_status(), 2);
    EXPECT_THAT(refused.error().message(),
                testing::StartsWith("--trace: the step has 2000001 tasks; allowed: up to 2000000"));
}

}  // namespace
}  // namespace memside
