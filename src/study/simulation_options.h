// The options of a simulation, in one table that the command line and the specs of sweeps and
// experiments share: names, help, and which policies read which of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/policy.h"

namespace memside {

struct SimulationOption {
    const char* name;   // without its dashes: "page-size"
    const char* shown;  // the value's name in the help
    const char* help;
    bool repeated = false;
};

struct SimulationOptionGroup {
    const char* heading;
    bool (*read_by)(const Policy& policy);  // nullptr: every policy reads them
    std::vector<SimulationOption> options;
};

// In the order of the help. Outputs are not among them: they belong to a command.
const std::vector<SimulationOptionGroup>& simulation_options();

// The group of an option, or nullptr when there is no such option.
const SimulationOptionGroup* option_group(std::string_view name);

// The policies that read a group's options.
std::vector<std::string> readers_of(const SimulationOptionGroup& group);

}  // namespace memside
