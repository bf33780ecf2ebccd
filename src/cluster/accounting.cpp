#include "cluster/accounting.h"

#include <algorithm>

namespace memside {
namespace {

constexpr double seconds_per_hour = 3600.0;

// Power that the coarse energy model and the electricity bill charge: what the parts may draw.
struct Ownership {
    double power_w = 0;
    double hardware_usd_per_hour = 0;
};

Ownership ownership(ConstantReader& constants) {
    Ownership sum;
    const auto charge = [&](std::string_view role, std::string_view power) {
        const Component* part = constants.system().find(role);
        if (part == nullptr) return;
        sum.power_w += constants.count(role) * constants.value(role, power);
        sum.hardware_usd_per_hour += constants.count(role) * constants.value(role, "price");
    };
    charge("gpu", "active_power");
    charge("pnm", "platform_power");
    charge("cxl", "active_power");
    return sum;
}

// Idle power of every part, busy or not, whether the policy uses it or not.
double idle_power_w(ConstantReader& constants, std::string_view role) {
    const Component* part = constants.system().find(role);
    return part == nullptr ? 0.0 : constants.count(role) * constants.value(role, "idle_power");
}

}  // namespace

void add_phases(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    // In the order in which a step first meets them.
    for (std::size_t i = 0; i < schedule.critical.size(); ++i) {
        const Task& task = graph.tasks()[static_cast<std::size_t>(schedule.critical[i])];
        const auto same = [&](const PhaseTime& phase) { return phase.name == task.phase; };
        auto found = std::find_if(result.phases.begin(), result.phases.end(), same);
        if (found == result.phases.end()) {
            result.phases.push_back({std::string(task.phase), 0.0});
            found = result.phases.end() - 1;
        }
        found->time_s += schedule.critical_s[i];
    }
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

// Energy by activity, per token; and the money.
void add_energy_and_cost(const Policy& policy, const StepPlan& step, ConstantReader& constants,
                         SimulationResult& result) {
    const double time_s = *result.tpot_s;
    const auto tokens = static_cast<double>(result.batch);
    const auto add = [&](std::string name, double energy_j) {
        result.energy.push_back({std::move(name), energy_j / tokens});
    };
    // A step works on one kind of memory device.
    const auto device = [&](bool used) { return used ? step.device_energy_j : 0.0; };
    add("gpu", step.gpu_energy_j + idle_power_w(constants, "gpu") * time_s);
    if (constants.system().has("pnm")) {
        add("pnm", device(policy.uses_pnm()) + idle_power_w(constants, "pnm") * time_s);
    }
    if (constants.system().has("cxl")) {
        add("cxl", device(policy.uses_cxl()) + idle_power_w(constants, "cxl") * time_s);
    }
    add("links", step.link_energy_j);
    double total = 0.0;
    for (const EnergyShare& share : result.energy) total += share.j_per_token;
    result.energy_j_per_token = total;

    const Ownership owned = ownership(constants);
    result.energy_coarse_j_per_token = owned.power_w * time_s / tokens;
    result.usd_per_hour = owned.hardware_usd_per_hour +
                          owned.power_w * seconds_per_hour * constants.value("cost", "electricity");
    result.tokens_per_usd = *result.throughput_tok_per_s * seconds_per_hour / *result.usd_per_hour;
}

}  // namespace memside
