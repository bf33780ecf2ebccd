#include "cluster/task_graph.h"

#include <rapidcheck/gtest.h>

#include <numeric>

namespace memside {
namespace {

Task task(ResourceId resource, double duration_s, double latency_s = 0.0) {
    Task t;
    t.name = "t";
    t.phase = "p";
    t.resource = resource;
    t.duration_s = duration_s;
    t.latency_s = latency_s;
    return t;
}

TEST(TaskGraph, tasks_on_different_resources_run_at_the_same_time) {
    TaskGraph graph;
    const auto a = graph.add_resource("a", "a");
    const auto b = graph.add_resource("b", "b");
    graph.add(task(a, 3.0), {});
    graph.add(task(b, 2.0), {});
    EXPECT_DOUBLE_EQ(run(graph).makespan_s, 3.0);
}

TEST(TaskGraph, tasks_on_one_resource_run_one_after_the_other) {
    TaskGraph graph;
    const auto a = graph.add_resource("a", "a");
    graph.add(task(a, 3.0), {});
    graph.add(task(a, 2.0), {});
    EXPECT_DOUBLE_EQ(run(graph).makespan_s, 5.0);
}

TEST(TaskGraph, latency_delays_the_successor_but_frees_the_resource) {
    TaskGraph graph;
    const auto link = graph.add_resource("link", "link");
    const auto far = graph.add_resource("far", "far");
    const TaskId first = graph.add(task(link, 1.0, 10.0), {});
    graph.add(task(link, 1.0), {});
    graph.add(task(far, 1.0), {first});
    const Schedule schedule = run(graph);
    EXPECT_DOUBLE_EQ(schedule.start_s[1], 1.0);   // the second message follows at once
    EXPECT_DOUBLE_EQ(schedule.start_s[2], 11.0);  // the first arrives after the latency
    EXPECT_DOUBLE_EQ(schedule.makespan_s, 12.0);
}

TEST(TaskGraph, the_critical_path_goes_through_what_was_waited_for) {
    TaskGraph graph;
    const auto a = graph.add_resource("a", "a");
    const auto b = graph.add_resource("b", "b");
    const TaskId shorter = graph.add(task(a, 1.0), {});
    const TaskId longer = graph.add(task(b, 4.0), {});
    const TaskId join = graph.add(task(a, 2.0), {shorter, longer});
    const Schedule schedule = run(graph);
    EXPECT_THAT(schedule.critical, testing::ElementsAre(longer, join));
    EXPECT_THAT(schedule.critical_s, testing::ElementsAre(4.0, 2.0));
}

// Slow and obvious: at every moment, start whatever may start; the next moment is the next end.
std::vector<double> reference_starts(const TaskGraph& graph) {
    const auto& tasks = graph.tasks();
    std::vector<double> start(tasks.size(), -1.0);
    std::vector<double> free_at(graph.resource_count(), 0.0);
    for (std::size_t placed = 0; placed < tasks.size(); ++placed) {
        // Of all tasks whose predecessors are placed, the one that becomes ready first goes next.
        double best_ready = 0.0;
        std::size_t best = tasks.size();
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            if (start[i] >= 0.0) continue;
            double ready = 0.0;
            bool possible = true;
            for (const TaskId before : graph.after(static_cast<TaskId>(i))) {
                const auto p = static_cast<std::size_t>(before);
                if (start[p] < 0.0) possible = false;
                ready = std::max(ready, start[p] + tasks[p].duration_s + tasks[p].latency_s);
            }
            if (possible && (best == tasks.size() || ready < best_ready)) {
                best = i;
                best_ready = ready;
            }
        }
        const auto resource = static_cast<std::size_t>(tasks[best].resource);
        start[best] = std::max(best_ready, free_at[resource]);
        free_at[resource] = start[best] + tasks[best].duration_s;
    }
    return start;
}

RC_GTEST_PROP(TaskGraph, random_graphs_run_as_the_slow_reference_says, ()) {
    TaskGraph graph;
    const int resources = *rc::gen::inRange(1, 5);
    for (int r = 0; r < resources; ++r) graph.add_resource("r", "r");
    const int count = *rc::gen::inRange(1, 40);
    for (int i = 0; i < count; ++i) {
        std::vector<TaskId> after;
        for (int k = *rc::gen::inRange(0, 4); k > 0 && i > 0; --k) {
            const TaskId before = *rc::gen::inRange(0, i);
            if (std::find(after.begin(), after.end(), before) == after.end()) {
                after.push_back(before);
            }
        }
        // Whole seconds are exact, so equality can be asked for.
        graph.add(
            task(*rc::gen::inRange(0, resources), *rc::gen::inRange(0, 9), *rc::gen::inRange(0, 3)),
            after);
    }
    const Schedule schedule = run(graph);
    RC_ASSERT(schedule.start_s == reference_starts(graph));
    RC_ASSERT(std::accumulate(schedule.critical_s.begin(), schedule.critical_s.end(), 0.0) ==
              schedule.makespan_s);
    for (const double share : schedule.critical_s) RC_ASSERT(share >= 0.0);
}

}  // namespace
}  // namespace memside
