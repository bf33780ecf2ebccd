#include "cluster/task_graph.h"

#include <algorithm>
#include <cassert>
#include <queue>

namespace memside {

ResourceId TaskGraph::add_resource(std::string name, std::string alike) {
    resource_names_.push_back(std::move(name));
    resource_alike_.push_back(std::move(alike));
    return static_cast<ResourceId>(resource_names_.size() - 1);
}

TaskId TaskGraph::add(const Task& task, const std::vector<TaskId>& after) {
    const auto id = static_cast<TaskId>(tasks_.size());
    for ([[maybe_unused]] const TaskId before : after) assert(before >= 0 && before < id);
    tasks_.push_back(task);
    after_.push_back(after);
    return id;
}

namespace {

constexpr TaskId none = -1;

// `cause`: what each task waited for last, a predecessor or the task before it on the resource.
// Walks back from the task that ends last. Each task accounts for the time from its start until
// the start of its successor on the path, so that the shares add up to the makespan.
void trace_critical_path(const std::vector<TaskId>& cause, TaskId last, Schedule& schedule) {
    double until = schedule.makespan_s;
    for (TaskId id = last; id != none; id = cause[static_cast<std::size_t>(id)]) {
        const double start = schedule.start_s[static_cast<std::size_t>(id)];
        schedule.critical.push_back(id);
        schedule.critical_s.push_back(until - start);
        until = start;
    }
    std::reverse(schedule.critical.begin(), schedule.critical.end());
    std::reverse(schedule.critical_s.begin(), schedule.critical_s.end());
}

}  // namespace

Schedule run(const TaskGraph& graph) {
    const std::vector<Task>& tasks = graph.tasks();
    const std::size_t count = tasks.size();

    // Successors in one flat array, so that a step of 10^5 tasks costs few allocations.
    std::vector<std::int32_t> waiting(count, 0);
    std::vector<std::size_t> first(count + 1, 0);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& after = graph.after(static_cast<TaskId>(i));
        waiting[i] = static_cast<std::int32_t>(after.size());
        for (const TaskId before : after) ++first[static_cast<std::size_t>(before) + 1];
    }
    for (std::size_t i = 0; i < count; ++i) first[i + 1] += first[i];
    std::vector<TaskId> successors(first[count]);
    std::vector<std::size_t> fill(first.begin(), first.end() - 1);
    for (std::size_t i = 0; i < count; ++i) {
        for (const TaskId before : graph.after(static_cast<TaskId>(i))) {
            successors[fill[static_cast<std::size_t>(before)]++] = static_cast<TaskId>(i);
        }
    }

    Schedule schedule;
    schedule.start_s.assign(count, 0.0);
    schedule.busy_s.assign(graph.resource_count(), 0.0);
    std::vector<double> ready(count, 0.0);
    std::vector<TaskId> cause(count, none);
    std::vector<double> free_at(graph.resource_count(), 0.0);
    std::vector<TaskId> last_on(graph.resource_count(), none);

    using Entry = std::pair<double, TaskId>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    for (std::size_t i = 0; i < count; ++i) {
        if (waiting[i] == 0) queue.emplace(0.0, static_cast<TaskId>(i));
    }

    TaskId last = none;
    while (!queue.empty()) {
        const auto [ready_s, id] = queue.top();
        queue.pop();
        const auto index = static_cast<std::size_t>(id);
        const Task& task = tasks[index];
        const auto resource = static_cast<std::size_t>(task.resource);
        double start = ready_s;
        if (free_at[resource] > start) {
            start = free_at[resource];
            cause[index] = last_on[resource];
        }
        const double end = start + task.duration_s;
        schedule.start_s[index] = start;
        schedule.busy_s[resource] += task.duration_s;
        free_at[resource] = end;
        last_on[resource] = id;
        const double visible = end + task.latency_s;
        if (last == none || visible > schedule.makespan_s) {
            schedule.makespan_s = visible;
            last = id;
        }
        for (std::size_t k = first[index]; k < first[index + 1]; ++k) {
            const TaskId next = successors[k];
            const auto next_index = static_cast<std::size_t>(next);
            if (visible > ready[next_index] || cause[next_index] == none) {
                ready[next_index] = std::max(ready[next_index], visible);
                cause[next_index] = id;
            }
            if (--waiting[next_index] == 0) queue.emplace(ready[next_index], next);
        }
    }
    trace_critical_path(cause, last, schedule);
    return schedule;
}

}  // namespace memside
