// What holds of every system that the models get, whether it comes from a file, a template or
// --set.
#include "system/system_reader.h"

namespace memside {
namespace {

// Where to point at: the line of a constant, or the --set that changed it.
std::string position(const Constant& constant) {
    return constant.set_by_user() ? "--set " + constant.path : constant.where;
}

Status check_complete(const Component& component) {
    for (const SchemaKey& key : schema(component.kind)) {
        if (component.constants.find(key.key) == component.constants.end()) {
            return bad_input(component.where,
                             fmt::format("'{}' lacks the constant '{}' ({}: {})", component.name,
                                         key.key, dimension_name(key.dimension), key.meaning));
        }
    }
    return {};
}

// Device models charge the difference: it must not be negative.
Status check_idle_power(const Component& component, std::string_view active) {
    const Constant& idle = component.constant("idle_power");
    const Constant& working = component.constant(active);
    if (idle.value <= working.value) return {};
    const Constant& culprit = working.set_by_user() ? working : idle;
    return bad_input(position(culprit),
                     fmt::format("idle power {} is above {} {}", idle.text, active, working.text));
}

// A kernel draws busy_power at least and active_power at most.
Status check_busy_power(const Component& component) {
    const Constant& idle = component.constant("idle_power");
    const Constant& busy = component.constant("busy_power");
    const Constant& limit = component.constant("active_power");
    const bool below = busy.value < idle.value;
    if (!below && busy.value <= limit.value) return {};
    const Constant& other = below ? idle : limit;
    return bad_input(position(other.set_by_user() ? other : busy),
                     fmt::format("busy_power {} is {} {} {}", busy.text, below ? "below" : "above",
                                 below ? "idle_power" : "active_power", other.text));
}

// The parts of a CXL-PNM device draw no more than the whole.
Status check_platform_power(const Component& component) {
    const Constant& platform = component.constant("platform_power");
    const Constant& controller = component.constant("controller_power");
    const Constant& dram = component.constant("dram_power");
    // Sums of decimal fractions may miss by a rounding.
    if (controller.value + dram.value <= platform.value * (1 + 1e-9)) return {};
    const Constant* culprit = &platform;
    for (const Constant* part : {&controller, &dram}) {
        if (part->set_by_user() && !culprit->set_by_user()) culprit = part;
    }
    return bad_input(
        position(*culprit),
        fmt::format("controller_power {} and dram_power {} make {:.6g} W, more than "
                    "platform_power {}",
                    controller.text, dram.text, controller.value + dram.value, platform.text));
}

// Rates are known with one core at work and with all.
Status check_threads(const Component& component) {
    const Constant& threads = component.constant("threads");
    const Constant& cores = component.constant("cores");
    if (threads.value == 1.0 || threads.value == cores.value) return {};
    return bad_input(position(threads),
                     fmt::format("{} threads were not measured; allowed: 1 and {}, all cores",
                                 threads.text, cores.text));
}

Status check_component(const Component& component) {
    MEMSIDE_CHECK(check_complete(component));
    switch (component.kind) {
        case ComponentKind::gpu: {
            const Constant& reserved = component.constant("memory_reserved");
            if (reserved.value >= 1.0) {
                return bad_input(position(reserved), "memory_reserved must be less than 1");
            }
            MEMSIDE_CHECK(check_idle_power(component, "active_power"));
            return check_busy_power(component);
        }
        case ComponentKind::pnm:
            MEMSIDE_CHECK(check_platform_power(component));
            return check_idle_power(component, "platform_power");
        case ComponentKind::cxl_memory:
            return check_idle_power(component, "active_power");
        case ComponentKind::cpu:
            return check_threads(component);
        case ComponentKind::pim:
        case ComponentKind::shared_link:
        case ComponentKind::prices:
        case ComponentKind::link:
        case ComponentKind::collective_link:
            break;
    }
    return {};
}

// A memory device is reached over host_link, uplink and device_link; without a device the last two
// lead nowhere.
Status check_links(const SystemSpec& system) {
    const bool modules = system.has("gpu") && system.has("pim");
    const bool memory = modules || system.has("pnm") || system.has("cxl");
    for (const std::string_view role : {"host_link", "uplink", "device_link"}) {
        if (memory && !system.has(role)) {
            return bad_input(system.where, fmt::format("system '{}' has memory devices but no {}",
                                                       system.name, role));
        }
        if (!memory && role != "host_link" && system.has(role)) {
            return bad_input(system.where, fmt::format("system '{}' has a {} but no memory devices",
                                                       system.name, role));
        }
    }
    return {};
}

Status check_divides(const SystemSpec& system, std::string_view nodes, std::string_view devices) {
    if (!system.has(nodes) || !system.has(devices)) return {};
    if (system.count(devices) % system.count(nodes) == 0) return {};
    std::string where = system.at(nodes).count_where;
    if (where.empty() || system.at(devices).count_where.starts_with("--set")) {
        where = system.at(devices).count_where;
    }
    return bad_input(where.empty() ? system.where : where,
                     fmt::format("{} {} do not divide evenly over the {} nodes of {}.count",
                                 system.count(devices), devices, system.count(nodes), nodes));
}

// A machine's own cores come alone, as a pair.
Status check_cpu(const SystemSpec& system) {
    if (!system.has("cpu") && !system.has("cpu_single")) return {};
    for (const std::string_view role : {"cpu", "cpu_single"}) {
        if (!system.has(role)) {
            return bad_input(system.where, fmt::format("role '{}' is missing ({})", role,
                                                       find_role(role)->meaning));
        }
    }
    for (const std::string& role : system.roles()) {
        if (role.starts_with("cpu")) continue;
        return bad_input(
            system.at(role).where,
            fmt::format("a system with a cpu has no {}; allowed: cpu, cpu_single", role));
    }
    const Constant& single = system.at("cpu_single").constant("cores");
    if (single.value == 1.0) return {};
    return bad_input(position(single), "cpu_single has one core");
}

// Modules of DRAM-PIM that hold weights as well do all the work: nothing else computes beside them.
Status check_pim_alone(const SystemSpec& system) {
    for (const std::string_view role : {"pim", "pim_link"}) {
        if (!system.has(role)) {
            return bad_input(system.where, fmt::format("role '{}' is missing ({})", role,
                                                       find_role(role)->meaning));
        }
    }
    for (const std::string& role : system.roles()) {
        if (role.starts_with("pim") || role == "cost") continue;
        return bad_input(
            system.at(role).where,
            fmt::format("a system with pim has no {}; allowed: pim, pim_link, cost", role));
    }
    const Constant& lanes = system.at("pim_link").constant("lanes");
    if (lanes.value >= system.count("pim")) return {};
    return bad_input(position(lanes), fmt::format("{} lanes are fewer than one for each of {} pim",
                                                  lanes.text, system.count("pim")));
}

// Beside GPUs they hold KV, and are reached as other memory devices are.
Status check_pim(const SystemSpec& system) {
    if (!system.has("pim") && !system.has("pim_link")) return {};
    if (!system.has("gpu") || !system.has("pim") || !system.has("device_link")) {
        return check_pim_alone(system);
    }
    for (const std::string_view role : {"pim_link", "pnm", "cxl"}) {
        if (!system.has(role)) continue;
        return bad_input(system.at(role).where,
                         fmt::format("a system with gpu and pim has no {}; its modules are reached "
                                     "over host_link, uplink and device_link",
                                     role));
    }
    return {};
}

}  // namespace

Status check_system(SystemSpec& system) {
    for (const auto& [role, component] : system.components) {
        MEMSIDE_CHECK(check_component(component));
    }
    MEMSIDE_CHECK(check_cpu(system));
    MEMSIDE_CHECK(check_pim(system));
    MEMSIDE_CHECK(check_links(system));
    MEMSIDE_CHECK(check_divides(system, "node_link", "gpu"));
    MEMSIDE_CHECK(check_divides(system, "uplink", "pnm"));
    MEMSIDE_CHECK(check_divides(system, "uplink", "cxl"));
    MEMSIDE_CHECK(check_divides(system, "uplink", "pim"));
    for (auto& [role, component] : system.components) {
        switch (find_role(role)->count) {
            case CountRule::given:
                break;
            case CountRule::per_gpu:
                component.count = system.count("gpu");
                break;
            case CountRule::per_memory_device:
                component.count = system.count("pnm") + system.count("cxl") + system.count("pim");
                break;
            case CountRule::one:
                component.count = 1;
                break;
        }
    }
    return {};
}

}  // namespace memside
