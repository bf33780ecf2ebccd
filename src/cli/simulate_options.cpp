#include "cli/simulate_options.h"

#include "base/text.h"
#include "study/simulation_options.h"

namespace memside::cli {
namespace {

// Of one system: no option of a comparison.
bool of_one_system(std::string_view name) {
    for (const char* one : {"system", "policy", "tp", "pp", "parallel", "threads"}) {
        if (name == one) return true;
    }
    return false;
}

void declare_group(Options& options, const SimulationOptionGroup& group, bool compared = false) {
    std::string heading = group.heading;
    if (group.read_by != nullptr) {
        heading += fmt::format(" (--policy {})", join(readers_of(group), ", "));
    }
    options.group(heading);
    for (const SimulationOption& option : group.options) {
        if (compared && of_one_system(option.name)) continue;
        const std::string name = fmt::format("--{}", option.name);
        if (option.repeated) {
            options.add_repeated(name, option.shown, option.help);
        } else {
            options.add(name, option.shown, option.help);
        }
    }
}

Result<Setting> pair_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return bad_input("--set", in_quotes(text) + " is not of the form key=value");
    }
    Setting setting{text.substr(0, equals), text.substr(equals + 1), ""};
    if (!setting.is_set()) {
        return bad_input("--set " + escaped(setting.name),
                         "expected role.key=value, such as 'gpu.price=1 USD/h'");
    }
    return setting;
}

}  // namespace

void declare_simulate_options(Options& options) {
    for (const SimulationOptionGroup& group : simulation_options()) declare_group(options, group);
    options.group("Output");
    options.add("--json", "FILE", "result as JSON; '-' for standard output");
    options.add("--csv", "FILE", "result as one row of CSV; '-' for standard output");
    options.add("--report", "FILE.html", "result as one offline page");
    options.add("--trace", "FILE.json", "one step as a Chrome/Perfetto trace");
}

void declare_compared_options(Options& options) {
    for (const SimulationOptionGroup& group : simulation_options()) {
        declare_group(options, group, true);
    }
}

Result<Settings> settings_of(const Options& options, bool compared) {
    Settings settings;
    for (const SimulationOptionGroup& group : simulation_options()) {
        for (const SimulationOption& option : group.options) {
            if (compared && of_one_system(option.name)) continue;
            const std::string name = fmt::format("--{}", option.name);
            for (const std::string& value : options.all(name)) {
                if (!option.repeated) {
                    settings.list.push_back({option.name, value, ""});
                    continue;
                }
                MEMSIDE_TRY(Setting setting, pair_of(value));
                settings.list.push_back(std::move(setting));
            }
        }
    }
    return settings;
}

}  // namespace memside::cli
