// memside tune: dispatches to its subcommands.
#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/tune.h"

namespace memside::cli {
namespace {

constexpr Command subcommands[] = {
    {"conv", "search for the fastest program of one convolution", run_tune_conv},
    {"network", "the same for every convolution of a network", run_tune_network},
    {"apply", "write the fastest programs of a database as object files", run_tune_apply},
    {"truth", "measure every program of a convolution, for bake-offs", run_tune_truth},
    {"bakeoff", "replay search methods on measured spaces", run_tune_bakeoff},
};

std::string help() {
    std::string text =
        "Programs found by search on this machine; docs/tuning.md has the methods.\n\n"
        "usage: memside tune SUBCOMMAND [options]\n\nsubcommands:\n";
    for (const Command& command : subcommands) {
        text += fmt::format("  {:<10} {}\n", command.name, command.summary);
    }
    return text + "\n'memside tune SUBCOMMAND --help' shows options and examples.\n";
}

}  // namespace

int run_tune(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        const int printed = print("tune", help());
        return printed == 0 ? 2 : printed;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") return print("tune", help());
    std::vector<std::string> names;
    for (const Command& command : subcommands) {
        if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
        names.emplace_back(command.name);
    }
    return fail("tune", bad_input("", fmt::format("unknown subcommand {}{}", in_quotes(name),
                                                  hint(name, names))));
}

}  // namespace memside::cli
