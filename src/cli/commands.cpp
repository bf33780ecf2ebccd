#include <cstdio>
#include <exception>

#include "base/text.h"
#include "cli/command.h"

namespace memside::cli {
namespace {

void print_help() {
    fmt::print(
        "Memside: long-context LLM decoding next to the memory that holds the KV cache.\n\n"
        "usage: memside COMMAND [options]\n\ncommands:\n");
    for (const Command& command : commands()) {
        fmt::print("  {:<10} {}\n", command.name, command.summary);
    }
    fmt::print(
        "\n'memside COMMAND --help' shows options and examples.\n"
        "Exit status: 0 success, 1 failure or nothing fits, 2 bad input.\n");
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> all{
        {"simulate", "simulate decoding a model on a modelled system", run_simulate},
        {"list", "list models, systems, policies or experiments", run_list},
        {"report", "compare saved results in the terminal and as one HTML page", run_report},
    };
    return all;
}

int run_program(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        print_help();
        return 2;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") {
        print_help();
        return 0;
    }
    if (name == "--version") {
        fmt::print("memside {}\n", MEMSIDE_VERSION);
        return 0;
    }
    std::vector<std::string> names;
    for (const Command& command : commands()) {
        if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
        names.emplace_back(command.name);
    }
    fmt::print(stderr, "memside: unknown command {}{}\n", in_quotes(name), hint(name, names));
    return 2;
}

}  // namespace memside::cli
