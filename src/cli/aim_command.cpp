// memside aim: dispatches to its subcommands.
#include "base/text.h"
#include "cli/aim.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

constexpr Command subcommands[] = {
    {"run", "how long a program takes, by the cycle", run_aim_run},
    {"exec", "what a program makes of a memory image", run_aim_exec},
    {"asm", "from text to the binary form", run_aim_asm},
    {"disasm", "from the binary form to text", run_aim_disasm},
};

std::string help() {
    std::string text =
        "Programs for DRAM-PIM (GDDR6-AiM); docs/pim.md has their form.\n\n"
        "usage: memside aim SUBCOMMAND [options]\n\nsubcommands:\n";
    for (const Command& command : subcommands) {
        text += fmt::format("  {:<10} {}\n", command.name, command.summary);
    }
    return text + "\n'memside aim SUBCOMMAND --help' shows options and examples.\n";
}

}  // namespace

int run_aim(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        const int printed = print("aim", help());
        return printed == 0 ? 2 : printed;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") return print("aim", help());
    std::vector<std::string> names;
    for (const Command& command : subcommands) {
        if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
        names.emplace_back(command.name);
    }
    return fail("aim", bad_input("", fmt::format("unknown subcommand {}{}", in_quotes(name),
                                                 hint(name, names))));
}

}  // namespace memside::cli
