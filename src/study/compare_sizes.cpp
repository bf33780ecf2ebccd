#include "study/compare_sizes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "cluster/cost.h"

namespace memside {
namespace {

constexpr double nearest_share = 0.9;  // of the limit: nearer sizes count as equal
constexpr int most_below = 16;         // sizes of one number of GPUs
constexpr int largest_modules = 144;   // lanes of the switch of modules without GPUs
constexpr std::array gpu_counts{1, 2, 4, 8};

}  // namespace

std::string_view compare_at_name(CompareAt at) {
    return std::array<std::string_view, 3>{"capacity", "cost",
                                           "power"}[static_cast<std::size_t>(at)];
}

double SystemSize::of(CompareAt at) const {
    switch (at) {
        case CompareAt::capacity:
            return capacity_bytes;
        case CompareAt::cost:
            return usd_per_hour;
        case CompareAt::power:
            break;
    }
    return power_w;
}

SystemSize size_of(const SystemSpec& system) {
    SystemSize size;
    for (const std::string_view role : {"gpu", "pnm", "cxl", "pim"}) {
        const Component* part = system.find(role);
        if (part == nullptr) continue;
        size.capacity_bytes += part->count * part->value("memory_capacity");
    }
    ConstantReader constants(system);
    const Ownership owned = ownership(constants);
    size.usd_per_hour = owned.usd_per_hour();
    size.power_w = owned.power_w;
    return size;
}

const std::vector<SystemFamily>& system_families() {
    static const std::vector<SystemFamily> families{
        {"gpu", "dense", true, "", false},         {"recall", "recall", true, "-cxl", false},
        {"pnm-all", "pnm-kv", true, "-pnm", true}, {"pnm-kv", "pnm-kv", true, "-pnm", false},
        {"png-kv", "png-kv", true, "-pnm", false}, {"gpu-pim", "pim", true, "-pim", false},
        {"cent", "pim", false, "cent-x", false},   {"neupims", "pim", false, "neupims-x", false},
    };
    return families;
}

std::string family_system(const SystemFamily& family, const std::string& gpu, int gpus,
                          int modules) {
    if (!family.has_gpus) return fmt::format("{}{}", family.modules, modules);
    const std::string server = fmt::format("{}x{}", gpu, gpus);
    if (family.modules.empty() || family.modules == "-cxl") return server + family.modules;
    return fmt::format("{}{}{}", server, family.modules, modules);
}

std::vector<Setting> family_settings(const SystemFamily& family, const std::string& gpu, int gpus,
                                     int modules) {
    std::vector<Setting> settings{{"system", family_system(family, gpu, gpus, modules), ""},
                                  {"policy", family.policy, ""}};
    // The name of a system with plain CXL memory says one module for each GPU.
    if (family.modules == "-cxl" && modules != gpus) {
        settings.push_back({"cxl.count", std::to_string(modules), ""});
    }
    return settings;
}

Result<std::vector<SizedPoint>> sizes_near(const SystemFamily& family, const std::string& gpu,
                                           CompareAt at, double limit, const Settings& base) {
    const auto sized = [&](int gpus, int modules) -> Result<SizedPoint> {
        SizedPoint point{base, {}};
        for (const Setting& setting : family_settings(family, gpu, gpus, modules)) {
            point.settings.put(setting);
        }
        MEMSIDE_TRY(const SimulationRequest request, read_request(point.settings));
        point.system = request.system;
        return point;
    };
    // Counts are what grows; sizes grow evenly with them.
    const bool server_only = family.has_gpus && family.modules.empty();
    const int most = family.has_gpus ? max_count : largest_modules;
    std::vector<SizedPoint> points;
    std::vector<int> servers{0};
    if (family.has_gpus && !server_only) servers.assign(gpu_counts.begin(), gpu_counts.end());
    for (const int gpus : servers) {
        const auto of_count = [&](int count) {
            return server_only ? sized(count, 0) : sized(gpus, count);
        };
        MEMSIDE_TRY(const SizedPoint one, of_count(1));
        MEMSIDE_TRY(const SizedPoint two, of_count(2));
        const double step = size_of(two.system).of(at) - size_of(one.system).of(at);
        // What is as large but for a rounding fits.
        const double beyond = (limit * (1 + 1e-9) - size_of(one.system).of(at)) / step;
        const int below = static_cast<int>(std::clamp(std::floor(beyond) + 1, 0.0, double(most)));
        for (int count = std::min(below + 1, most); count >= 1; --count) {
            MEMSIDE_TRY(SizedPoint point, of_count(count));
            const bool near = size_of(point.system).of(at) >= nearest_share * limit;
            // Prime numbers of modules make no pair of TP and PP: a few more are tried.
            if (!near && count + (family.has_gpus ? 1 : most_below / 2) <= below) break;
            if (count + most_below <= below) break;
            points.push_back(std::move(point));
        }
    }
    return points;
}

}  // namespace memside
