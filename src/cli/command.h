// A command of the memside program: one file each, listed in commands.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memside::cli {

struct Command {
    std::string_view name;
    std::string_view summary;  // one line for `memside --help`
    // Runs with the arguments after the command's name; returns the exit status: 0 success,
    // 1 failure, 2 bad input.
    int (*run)(const std::vector<std::string>& arguments);
};

const std::vector<Command>& commands();

int run_aim(const std::vector<std::string>& arguments);
int run_capacity(const std::vector<std::string>& arguments);
int run_compare(const std::vector<std::string>& arguments);
int run_compile(const std::vector<std::string>& arguments);
int run_eval(const std::vector<std::string>& arguments);
int run_experiment_command(const std::vector<std::string>& arguments);
int run_explain(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);
int run_list(const std::vector<std::string>& arguments);
int run_make_model(const std::vector<std::string>& arguments);
int run_calibrate(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_run(const std::vector<std::string>& arguments);
int run_scores(const std::vector<std::string>& arguments);
int run_simulate(const std::vector<std::string>& arguments);
int run_sweep(const std::vector<std::string>& arguments);
int run_tune(const std::vector<std::string>& arguments);

// The whole program: dispatches to a command, prints help and version.
int run_program(const std::vector<std::string>& arguments);

// Runs `program`; an exception that it lets out, such as std::bad_alloc, is a failure in one line.
int run_guarded(int (*program)(const std::vector<std::string>&),
                const std::vector<std::string>& arguments);

}  // namespace memside::cli
