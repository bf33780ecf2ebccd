#include "cluster/accounting.h"

#include <algorithm>

#include "cluster/cost.h"
#include "cluster/energy.h"

namespace memside {
std::vector<PhaseTime> critical_phases(const TaskGraph& graph, const Schedule& schedule) {
    std::vector<PhaseTime> phases;
    for (std::size_t i = 0; i < schedule.critical.size(); ++i) {
        const Task& task = graph.tasks()[static_cast<std::size_t>(schedule.critical[i])];
        const auto same = [&](const PhaseTime& phase) { return phase.name == task.phase; };
        auto found = std::find_if(phases.begin(), phases.end(), same);
        if (found == phases.end()) {
            found = phases.insert(phases.end(), {std::string(task.phase), 0.0});
        }
        found->time_s += schedule.critical_s[i];
    }
    return phases;
}

void add_resources(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    struct Sum {
        double busy_s = 0;
        int count = 0;
    };
    std::vector<std::pair<std::string, Sum>> groups;
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        const std::string& group = graph.resource_alike(r);
        auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const auto& entry) { return entry.first == group; });
        if (found == groups.end()) found = groups.insert(groups.end(), {group, Sum{}});
        found->second.busy_s += schedule.busy_s[static_cast<std::size_t>(r)];
        ++found->second.count;
    }
    for (const auto& [name, sum] : groups) {
        result.resources.push_back({name, sum.busy_s / sum.count});
    }
}

void add_timeline(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        result.timeline_resources.push_back(graph.resource_name(r));
    }
    const std::vector<Task>& tasks = graph.tasks();
    result.timeline.reserve(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const Task& task = tasks[i];
        result.timeline.push_back({std::string(task.name), std::string(task.phase), task.resource,
                                   task.layer, schedule.start_s[i], task.duration_s, task.bytes,
                                   task.flops, false});
    }
    for (const TaskId id : schedule.critical) {
        result.timeline[static_cast<std::size_t>(id)].critical = true;
    }
}

void add_energy_and_cost(const TaskGraph& graph, const Schedule& schedule,
                         ConstantReader& constants, const std::vector<EnergyShare>& others,
                         SimulationResult& result) {
    constexpr double seconds_per_hour = 3600.0;
    const auto tokens = static_cast<double>(result.batch);
    result.energy = energy_parts(graph, schedule, constants, others);
    for (EnergyShare& share : result.energy) share.j_per_token /= tokens;
    result.energy_j_per_token = sum_of(result.energy);
    result.tokens_per_j = 1.0 / *result.energy_j_per_token;

    const Ownership owned = ownership(constants);
    result.energy_coarse_j_per_token = owned.power_w * *result.tpot_s / tokens;
    result.usd_per_hour = owned.usd_per_hour();
    result.tokens_per_usd = *result.throughput_tok_per_s * seconds_per_hour / *result.usd_per_hour;
}

}  // namespace memside
