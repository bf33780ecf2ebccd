// memside list: what can be named on the command line.
#include "base/data_dir.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cluster/policy.h"
#include "model/catalog.h"
#include "study/experiment_output.h"
#include "system/catalog.h"

namespace memside::cli {
namespace {

constexpr const char* examples =
    "  memside list models\n"
    "  memside list systems\n"
    "  memside list policies\n"
    "  memside list experiments\n";

Result<std::string> list_models() {
    MEMSIDE_TRY(const std::vector<std::string> names, model_names());
    std::string text = fmt::format("{:<16} {:<8} {:>11} {:>7} {:>6} {:>9} {:>9} {:>14} {:>8}\n",
                                   "model", "family", "parameters", "layers", "heads", "KV heads",
                                   "head dim", "KV/token f16", "window");
    for (const std::string& name : names) {
        MEMSIDE_TRY(const ModelSpec model, load_model(name));
        text += fmt::format("{:<16} {:<8} {:>9.2f} B {:>7} {:>6} {:>9} {:>9} {:>14} {:>8}\n", name,
                            architecture_name(model.architecture),
                            static_cast<double>(model.weights.parameters()) / 1e9, model.layers,
                            model.heads, model.kv_heads, model.head_dim,
                            format_bytes(static_cast<double>(model.kv_bytes_per_token(16))),
                            format_tokens(model.window_tokens));
    }
    return text;
}

std::string part(const SystemSpec& system, std::string_view role) {
    const Component* component = system.find(role);
    return component == nullptr ? "-" : fmt::format("{} x {}", component->count, component->name);
}

Result<std::string> list_systems() {
    constexpr const char* row = "{:<24} {:<20} {:<20} {:<20} {}\n";
    std::string text = fmt::format(row, "system", "GPUs", "CXL-PNM devices", "plain CXL memory",
                                   "DRAM-PIM modules");
    for (const std::string& name : system_names()) {
        MEMSIDE_TRY(const SystemSpec system, load_system(name, {}));
        text += fmt::format(row, name, part(system, "gpu"), part(system, "pnm"),
                            part(system, "cxl"), part(system, "pim"));
    }
    return text +
           "\nThe counts are free: a100x3-pnm5 and cent-x12 work as well. A path to a YAML file "
           "does too.\n";
}

Result<std::string> list_policies() {
    std::string text;
    for (const auto& policy : policies()) {
        text += fmt::format("{:<10} {}\n", policy->name(), policy->summary());
    }
    return text;
}

Result<std::string> list_experiments() {
    MEMSIDE_TRY(const std::string data, data_dir());
    std::string text;
    for (const std::string& name : experiment_names(data + "/experiments")) text += name + '\n';
    if (text.empty()) note("list", "there are no experiments in " + data + "/experiments");
    return text;
}

}  // namespace

int run_list(const std::vector<std::string>& arguments) {
    Options options("list", "Lists what can be named on the command line.", examples);
    options.add_positional("what", "models, systems, policies or experiments", false);
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
    static constexpr Result<std::string> (*listers[])() = {list_models, list_systems, list_policies,
                                                           list_experiments};
    const Result<std::string> listed = listers[*choice]();
    return listed.ok() ? print("list", *listed) : fail("list", listed.error());
}

}  // namespace memside::cli
