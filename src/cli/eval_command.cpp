// memside eval: dispatches to its subcommands.
#include "cli/eval.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

// One line each, in the order of the help.
const std::vector<Command>& subcommands() {
    static const std::vector<Command> all{
        {"needle", "are facts planted in a long text found?", run_eval_needle},
        {"divergence", "how far is what a model would say next from dense?", run_eval_divergence},
        {"associative", "recall of known answers from a constructed cache", run_eval_associative},
    };
    return all;
}

std::string help() {
    std::string text =
        "Whether selected pages answer as all of them do; docs/quality.md has the methods.\n\n"
        "usage: memside eval SUBCOMMAND [options]\n\nsubcommands:\n";
    for (const Command& command : subcommands()) {
        text += fmt::format("  {:<12} {}\n", command.name, command.summary);
    }
    return text + "\n'memside eval SUBCOMMAND --help' shows options and examples.\n";
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        const int printed = print("eval", help());
        return printed == 0 ? 2 : printed;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") return print("eval", help());
    std::vector<std::string> names;
    for (const Command& command : subcommands()) {
        if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
        names.emplace_back(command.name);
    }
    return fail("eval", bad_input("", fmt::format("unknown subcommand {}{}", in_quotes(name),
                                                  hint(name, names))));
}

}  // namespace memside::cli
