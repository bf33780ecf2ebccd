#include "cli/simulate_options.h"

#include "base/text.h"

namespace memside::cli {
namespace {

struct OptionInfo {
    const char* name;
    const char* shown;
    const char* help;
};

// Options that only some policies read.
struct PolicyOptions {
    const char* heading;
    bool (*read_by)(const Policy& policy);
    std::vector<OptionInfo> options;
};

const std::vector<PolicyOptions>& policy_options() {
    static const std::vector<PolicyOptions> groups{
        {"Pages and their selection",
         [](const Policy& policy) { return policy.selects_pages(); },
         {{"--budget", "TOKENS", "tokens attended (default: a quarter of the context)"},
          {"--page-size", "TOKENS", "a power of two (default: 32)"},
          {"--digest", "KIND", "minmax (default), centre-max, centre-mad, centre-std"},
          {"--digest-type", "TYPE", "f16 (default) or int8"},
          {"--sink-pages", "N", "first pages always selected, within the budget"},
          {"--recent-pages", "N", "last pages always selected, within the budget"},
          {"--dense-layers", "N", "first layers that attend to every page"},
          {"--steps", "N", "steps that selection runs (default: 8)"},
          {"--warmup", "N", "steps before the first that counts (default: 2)"},
          {"--scores", "synthetic|FILE", "where page scores come from (default: synthetic)"},
          {"--select-sample", "N|all", "(request, layer) pairs that run selection (default: 8)"}}},
        {"Placement",
         [](const Policy& policy) { return policy.uses_pnm(); },
         {{"--placement", "NAME", "requests to devices: lpt (default) or round-robin"}}},
    };
    return groups;
}

std::vector<std::string> readers(const PolicyOptions& group) {
    std::vector<std::string> names;
    for (const auto& policy : policies()) {
        if (group.read_by(*policy)) names.emplace_back(policy->name());
    }
    return names;
}

// Promised by the command line's documentation, not modelled yet: refused by name.
constexpr const char* arrivals[] = {"--requests", "--output-tokens", "--arrival-rate"};
constexpr const char* pim[] = {"--partition", "--scheduler", "--access",    "--tp",
                               "--pp",        "--parallel",  "--row-reuse", "--refresh"};

}  // namespace

void declare_simulate_options(Options& options) {
    options.group("What is simulated");
    options.add("--model", "NAME|FILE", "preset, config.json or .gguf file");
    options.add("--system", "NAME|FILE", "named system or a system's YAML file");
    options.add("--policy", "NAME", "dense, recall, pnm-kv, png-kv ('memside list policies')");
    options.add("--context", "TOKENS", "context of every request: 131072, 128K, 1M");
    options.add("--batch", "N|max", "requests decoded together (default: max)");
    options.add("--workload", "FILE", "CSV or JSONL with context_tokens of each request");
    options.add("--kv-type", "TYPE", "f16 (default), bf16, fp8, int8, int4");
    options.add("--overlap", "none|half-batches", "FC of one half hides attention of the other");
    options.add_repeated("--set", "KEY=VALUE",
                         "override a constant: gpu.memory_bandwidth='3 TB/s'");
    for (const PolicyOptions& group : policy_options()) {
        options.group(fmt::format("{} (--policy {})", group.heading, join(readers(group), ", ")));
        for (const OptionInfo& option : group.options) {
            options.add(option.name, option.shown, option.help);
        }
    }
    options.group("Running");
    options.add("--threads", "N", "0: all cores (default)");
    options.add("--seed", "N", "of everything random (default: 1)");
    options.group("Output");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    options.add("--csv", "FILE", "result as one row of CSV; '-' for standard output");
    options.add("--report", "FILE.html", "result as one offline page");
    options.add("--trace", "FILE.json", "one step as a Chrome/Perfetto trace");
    options.group("Not modelled yet");
    for (const char* name : arrivals) options.add(name, "VALUE", "requests that arrive and end");
    for (const char* name : pim) options.add(name, "VALUE", "--policy pim");
}

Status refuse_unmodelled(const Options& options) {
    for (const char* name : arrivals) {
        if (options.text(name)) {
            return bad_input(name, "is not modelled yet: no request arrives or ends");
        }
    }
    for (const char* name : pim) {
        if (options.text(name)) {
            return bad_input(name, "belongs to --policy pim, which is not modelled yet");
        }
    }
    return {};
}

Status refuse_meaningless(const Options& options, const Policy& policy) {
    for (const PolicyOptions& group : policy_options()) {
        if (group.read_by(policy)) continue;
        for (const OptionInfo& option : group.options) {
            if (!options.text(option.name)) continue;
            return bad_input(option.name,
                             fmt::format("has no meaning for --policy {}; it is for {}",
                                         policy.name(), join(readers(group), ", ")));
        }
    }
    return {};
}

}  // namespace memside::cli
