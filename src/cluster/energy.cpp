#include "cluster/energy.h"

#include <map>
#include <numeric>

#include "cluster/facility.h"

namespace memside {
namespace {

// What alike resources did.
struct Use {
    double busy_s = 0;  // mean of the resources
    TaskEnergy energy;  // sum
};

std::map<std::string, Use> uses(const TaskGraph& graph, const Schedule& schedule) {
    std::map<std::string, Use> by_kind;
    std::map<std::string, int> counts;
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        by_kind[graph.resource_alike(r)].busy_s += schedule.busy_s[static_cast<std::size_t>(r)];
        ++counts[graph.resource_alike(r)];
    }
    for (auto& [kind, use] : by_kind) use.busy_s /= counts[kind];
    std::vector<Use*> of_resource;
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        of_resource.push_back(&by_kind[graph.resource_alike(r)]);
    }
    for (const Task& task : graph.tasks()) {
        TaskEnergy& sum = of_resource[static_cast<std::size_t>(task.resource)]->energy;
        sum.busy_j += task.energy.busy_j;
        sum.compute_j += task.energy.compute_j;
        sum.access_j += task.energy.access_j;
    }
    return by_kind;
}

}  // namespace

std::vector<EnergyShare> energy_parts(const TaskGraph& graph, const Schedule& schedule,
                                      ConstantReader& constants,
                                      const std::vector<EnergyShare>& others) {
    std::map<std::string, Use> by_kind = uses(graph, schedule);
    std::vector<EnergyShare> parts;
    for (const char* role : {"gpu", "pnm", "cxl"}) {
        if (!constants.system().has(role)) continue;
        const Use use = by_kind[role];
        by_kind.erase(role);
        const double idle_w = constants.count(role) * constants.value(role, "idle_power");
        const auto add = [&](const char* what, double energy_j) {
            parts.push_back({fmt::format("{}_{}", role, what), energy_j});
        };
        add("busy", use.energy.busy_j + idle_w * use.busy_s);
        // Models that do not tell these apart charge them as busy.
        if (use.energy.compute_j > 0.0) add("compute", use.energy.compute_j);
        if (use.energy.access_j > 0.0) add("memory", use.energy.access_j);
        add("idle", idle_w * (schedule.makespan_s - use.busy_s));
    }
    parts.insert(parts.end(), others.begin(), others.end());
    double links_j = 0.0;
    for (const auto& [kind, use] : by_kind) links_j += use.energy.access_j;
    parts.push_back({"links", links_j});

    const Facility facility = read_facility(constants);
    if (facility.included) {
        parts.push_back({"host", facility.host_power_w * schedule.makespan_s});
        if (facility.switch_power_w > 0.0) {
            parts.push_back({"switch", facility.switch_power_w * schedule.makespan_s});
        }
        parts.push_back({"cooling", facility.cooling * sum_of(parts)});
    }
    return parts;
}

double sum_of(const std::vector<EnergyShare>& parts) {
    return std::accumulate(
        parts.begin(), parts.end(), 0.0,
        [](double sum, const EnergyShare& part) { return sum + part.j_per_token; });
}

}  // namespace memside
