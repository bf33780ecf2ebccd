#include <cstdio>
#include <exception>
#include <new>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

std::string help() {
    std::string text =
        "Memside: long-context LLM decoding next to the memory that holds the KV cache.\n\n"
        "usage: memside COMMAND [options]\n\ncommands:\n";
    for (const Command& command : commands()) {
        text += fmt::format("  {:<11} {}\n", command.name, command.summary);
    }
    return text +
           "\n'memside COMMAND --help' shows options and examples.\n"
           "Exit status: 0 success, 1 failure or nothing fits, 2 bad input.\n";
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> all{
        {"simulate", "simulate decoding a model on a modelled system", run_simulate},
        {"compare", "compare systems at equal capacity, cost or power", run_compare},
        {"aim", "run, assemble and disassemble DRAM-PIM programs", run_aim},
        {"compile", "compile a decoder layer to programs of near-memory devices", run_compile},
        {"sweep", "simulate every point of a grid or a list", run_sweep},
        {"experiment", "regenerate the figures of the study, beside what was stated",
         run_experiment_command},
        {"explain", "say what bounds a saved result, and what would help", run_explain},
        {"run", "generate text with a real model on this machine", run_run},
        {"bench", "measure attention on this machine", run_bench},
        {"eval", "measure whether selected pages answer as all of them do", run_eval},
        {"scores", "describe recorded page scores, or fit the synthetic ones to them", run_scores},
        {"capacity", "say how much of PIM modules holds live KV, reserved or in chunks",
         run_capacity},
        {"tune", "search for the fastest convolution programs on this machine", run_tune},
        {"calibrate", "measure this machine for simulate --system this-cpu", run_calibrate},
        {"make-model", "write a GGUF file with random weights", run_make_model},
        {"list", "list models, systems, policies or experiments", run_list},
        {"report", "compare saved results in the terminal and as one HTML page", run_report},
    };
    return all;
}

int run_program(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        const int printed = print("", help());
        return printed == 0 ? 2 : printed;
    }
    const std::string& name = arguments.front();
    if (name == "--help" || name == "-h" || name == "help") {
        return print("", help());
    }
    if (name == "--version") {
        return print("", fmt::format("memside {}\n", MEMSIDE_VERSION));
    }
    std::vector<std::string> names;
    for (const Command& command : commands()) {
        if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
        names.emplace_back(command.name);
    }
    return fail("", bad_input("", "unknown command " + in_quotes(name) + hint(name, names)));
}

int run_guarded(int (*program)(const std::vector<std::string>&),
                const std::vector<std::string>& arguments) {
    try {
        return program(arguments);
    } catch (const std::bad_alloc&) {
        // Without the formatting that would need memory.
        std::fputs("memside: out of memory\n", stderr);
    } catch (const std::exception& error) {
        note("", "unexpected failure: " + escaped(error.what()));
    } catch (...) {
        note("", "unexpected failure");
    }
    return 1;
}

}  // namespace memside::cli
