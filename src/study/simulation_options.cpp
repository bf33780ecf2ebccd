#include "study/simulation_options.h"

namespace memside {

const std::vector<SimulationOptionGroup>& simulation_options() {
    static const std::vector<SimulationOptionGroup> groups{
        {"What is simulated",
         nullptr,
         {{"model", "NAME|FILE", "preset, config.json or .gguf file"},
          {"system", "NAME|FILE", "named system or a system's YAML file"},
          {"policy", "NAME", "dense, recall, pnm-kv, png-kv, pim ('memside list policies')"},
          {"context", "TOKENS", "context of every request: 131072, 128K, 1M"},
          {"batch", "N|max", "requests decoded together, of a workload at most (default: max)"},
          {"workload", "NAME|FILE",
           "requests that come and go: qmsum, musique, multifieldqa, loogle-sd, or a CSV or JSONL "
           "file"},
          {"requests", "N", "of the workload (default: 256, or all of the file)"},
          {"output-tokens", "N", "of each of its requests (default: 128, or the file's)"},
          {"arrival-rate", "R", "requests a second, Poisson (default: all at the start)"},
          {"kv-type", "TYPE", "f16 (default), bf16, fp8, int8, int4"},
          {"overlap", "none|half-batches", "FC of one half hides attention of the other"},
          {"set", "KEY=VALUE", "override a constant: gpu.memory_bandwidth='3 TB/s'", true}}},
        {"Pages and their selection",
         [](const Policy& policy) { return policy.may_select_pages(); },
         {{"budget", "TOKENS", "tokens attended (default: a quarter of the context)"},
          {"page-size", "TOKENS", "a power of two (default: 32)"},
          {"digest", "KIND", "minmax (default), centre-max, centre-mad, centre-std"},
          {"digest-type", "TYPE", "f16 (default) or int8"},
          {"sink-pages", "N", "first pages always selected, within the budget"},
          {"recent-pages", "N", "last pages always selected, within the budget"},
          {"dense-layers", "N", "first layers that attend to every page"},
          {"steps", "N", "steps that selection runs (default: 8)"},
          {"warmup", "N", "steps before the first that counts (default: 2)"},
          {"scores", "KIND|FILE",
           "where page scores come from: synthetic (default), random-keys or a file"},
          {"select-sample", "N|all", "(request, layer) pairs that run selection (default: 8)"}}},
        {"Placement",
         [](const Policy& policy) { return policy.uses_pnm(); },
         {{"placement", "NAME", "requests to devices: lpt (default) or round-robin"}}},
        {"Compiled programs",
         [](const Policy& policy) { return policy.uses_pnm() || policy.uses_pim(); },
         {{"program", "FILE",
           "what 'memside compile' wrote: a layer of --target pnm, or attention in binary form"}}},
        {"DRAM-PIM modules",
         [](const Policy& policy) { return policy.uses_pim(); },
         {{"partition", "NAME", "tcp (default): tokens over channels; hfp: heads"},
          {"scheduler", "NAME", "dcs (default), ping-pong, in-order"},
          {"access", "NAME", "dpa (default): chunks; static: the window reserved"},
          {"hub", "NAME", "serial (default): softmax alone; overlap: beside the next head"},
          {"reserve", "TOKENS", "what static sets aside (default: the model's window)"},
          {"tp", "N", "modules that share a layer; with --pp"},
          {"pp", "N", "stages of layers; with --tp"},
          {"parallel", "best", "the fastest pair of tp and pp (default)"},
          {"row-reuse", "on|off", "queries of a KV head share an open row (default: on)"},
          {"refresh", "on|off", "of the banks (default: on)"},
          {"pim-cache", "on|off|FOLDER", "keep times of kernels between runs (default: on)"}}},
        {"Running",
         nullptr,
         {{"threads", "N", "0: all cores (default)"},
          {"seed", "N", "of everything random (default: 1)"}}},
    };
    return groups;
}

const SimulationOptionGroup* option_group(std::string_view name) {
    for (const SimulationOptionGroup& group : simulation_options()) {
        for (const SimulationOption& option : group.options) {
            if (option.name == name) return &group;
        }
    }
    return nullptr;
}

std::vector<std::string> readers_of(const SimulationOptionGroup& group) {
    std::vector<std::string> names;
    for (const auto& policy : policies()) {
        if (group.read_by == nullptr || group.read_by(*policy)) names.emplace_back(policy->name());
    }
    return names;
}

}  // namespace memside
