// memside list: what can be named on the command line.
#include <cstdio>

#include "base/data_dir.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cluster/policy.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside list models\n"
    "  memside list systems\n"
    "  memside list policies\n"
    "  memside list experiments\n";

Status list_models() {
    MEMSIDE_TRY(const std::vector<std::string> names, model_names());
    fmt::print("{:<16} {:<8} {:>11} {:>7} {:>6} {:>9} {:>9} {:>14} {:>8}\n", "model", "family",
               "parameters", "layers", "heads", "KV heads", "head dim", "KV/token f16", "window");
    for (const std::string& name : names) {
        MEMSIDE_TRY(const ModelSpec model, load_model(name));
        fmt::print("{:<16} {:<8} {:>9.2f} B {:>7} {:>6} {:>9} {:>9} {:>14} {:>8}\n", name,
                   architecture_name(model.architecture),
                   static_cast<double>(model.weights.parameters()) / 1e9, model.layers, model.heads,
                   model.kv_heads, model.head_dim,
                   format_bytes(static_cast<double>(model.kv_bytes_per_token(16))),
                   format_tokens(model.window_tokens));
    }
    return {};
}

std::string part(const SystemSpec& system, std::string_view role) {
    const Component* component = system.find(role);
    return component == nullptr ? "-" : fmt::format("{} x {}", component->count, component->name);
}

Status list_systems() {
    fmt::print("{:<24} {:<20} {:<20} {:<20}\n", "system", "GPUs", "CXL-PNM devices",
               "plain CXL memory");
    for (const std::string& name : system_names()) {
        MEMSIDE_TRY(const SystemSpec system, load_system(name, {}));
        fmt::print("{:<24} {:<20} {:<20} {:<20}\n", name, part(system, "gpu"), part(system, "pnm"),
                   part(system, "cxl"));
    }
    fmt::print(
        "\nThe counts are free: a100x3-pnm5 works as well. A path to a YAML file does too.\n");
    return {};
}

Status list_policies() {
    for (const auto& policy : policies())
        fmt::print("{:<10} {}\n", policy->name(), policy->summary());
    return {};
}

Status list_experiments() {
    MEMSIDE_TRY(const std::string data, data_dir());
    for (const std::string& name : list_folder(data + "/experiments")) {
        if (name.ends_with(".yaml")) fmt::print("{}\n", name.substr(0, name.size() - 5));
    }
    return {};
}

}  // namespace

int run_list(const std::vector<std::string>& arguments) {
    Options options("list", "Lists what can be named on the command line.", examples);
    options.add_positional("what", "models, systems, policies or experiments");
    if (const Status parsed = options.parse(arguments); !parsed.ok()) {
        return fail("list", parsed.error());
    }
    if (options.help_shown()) return 0;
    const std::vector<std::string> what = options.all("what");
    if (what.size() != 1) {
        return fail("list", bad_input("", "name one of models, systems, policies, experiments"));
    }
    const Result<std::size_t> choice =
        options.choice("what", "", {"models", "systems", "policies", "experiments"});
    if (!choice.ok()) return fail("list", choice.error());
    static constexpr Status (*listers[])() = {list_models, list_systems, list_policies,
                                              list_experiments};
    const Status listed = listers[*choice]();
    return listed.ok() ? 0 : fail("list", listed.error());
}

}  // namespace memside::cli
