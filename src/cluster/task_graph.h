// A decode step as tasks on resources, and the event simulation that times it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memside {

using TaskId = std::int32_t;
using ResourceId = std::int32_t;

// Energy of a task above the idle power of its resource, in J, of all the units that the resource
// stands for.
struct TaskEnergy {
    double busy_j = 0;     // for the time that they work
    double compute_j = 0;  // for arithmetic
    double access_j = 0;   // for memory accesses, or for what crosses a link
};

// A task occupies its resource for duration_s; what depends on it may start latency_s later (a
// link's propagation delay, during which the link already carries the next message).
struct Task {
    std::string_view name;   // static text
    std::string_view phase;  // static text: what the time is charged to
    ResourceId resource = 0;
    std::int32_t layer = -1;
    double duration_s = 0;
    double latency_s = 0;
    double bytes = 0;
    double flops = 0;
    TaskEnergy energy;
};

class TaskGraph {
  public:
    // `alike` groups resources that a report shows as one row, such as all devices.
    ResourceId add_resource(std::string name, std::string alike);

    // `after`: tasks that must have finished, all added before.
    TaskId add(const Task& task, const std::vector<TaskId>& after);

    const std::vector<Task>& tasks() const { return tasks_; }
    std::size_t resource_count() const { return resource_names_.size(); }
    const std::string& resource_name(ResourceId id) const {
        return resource_names_[static_cast<std::size_t>(id)];
    }
    const std::string& resource_alike(ResourceId id) const {
        return resource_alike_[static_cast<std::size_t>(id)];
    }
    // Predecessors of a task.
    const std::vector<TaskId>& after(TaskId id) const {
        return after_[static_cast<std::size_t>(id)];
    }

  private:
    std::vector<Task> tasks_;
    std::vector<std::vector<TaskId>> after_;
    std::vector<std::string> resource_names_;
    std::vector<std::string> resource_alike_;
};

struct Schedule {
    std::vector<double> start_s;     // per task
    std::vector<TaskId> critical;    // tasks of the critical path, first to last
    std::vector<double> critical_s;  // the stretch of the path that each of them accounts for
    std::vector<double> busy_s;      // per resource
    double makespan_s = 0;           // when the last task and its latency have passed
};

// Runs the graph: a resource serves one task at a time, in the order in which tasks become ready
// (ties: in the order in which they were added). critical_s sums to makespan_s.
Schedule run(const TaskGraph& graph);

}  // namespace memside
