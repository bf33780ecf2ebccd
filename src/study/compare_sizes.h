// How large systems are, and which of a family are as large as another system.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "study/settings.h"

namespace memside {

// What is made equal.
enum class CompareAt : std::uint8_t { capacity, cost, power };
std::string_view compare_at_name(CompareAt at);

struct SystemSize {
    double capacity_bytes = 0;  // HBM and memory devices, all together
    double usd_per_hour = 0;    // hardware and electricity, as simulate's
    double power_w = 0;         // full power of all devices

    double of(CompareAt at) const;
};
SystemSize size_of(const SystemSpec& system);

// Systems of one kind under one policy.
struct SystemFamily {
    std::string name;    // "gpu", "cent"
    std::string policy;  // that decodes on it
    bool has_gpus = false;
    // Besides GPUs, or alone: the name of their count in the system's name, "-pnm"; empty: none.
    std::string modules;
    bool attends_all = false;  // although the policy selects
};
const std::vector<SystemFamily>& system_families();
// "a100x2-pnm3"; `modules` of plain CXL memory are a --set pair, see family_settings().
std::string family_system(const SystemFamily& family, const std::string& gpu, int gpus,
                          int modules);
// The settings that make the system, and the policy.
std::vector<Setting> family_settings(const SystemFamily& family, const std::string& gpu, int gpus,
                                     int modules);

struct SizedPoint {
    Settings settings;
    SystemSpec system;
};

// Sizes of the family to choose among: those between 90 % and 100 % of `limit`, at least the
// nearest from below, and the next one above, for 1, 2, 4 and 8 GPUs each. `base`: what
// the family's policy reads.
Result<std::vector<SizedPoint>> sizes_near(const SystemFamily& family, const std::string& gpu,
                                           CompareAt at, double limit, const Settings& base);

}  // namespace memside
