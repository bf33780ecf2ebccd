// The subcommands of `memside eval`: one file each, listed in eval_command.cpp.
#pragma once

#include <string>
#include <vector>

namespace memside::cli {

// Each runs with the arguments after its name and returns the exit status.
int run_eval_needle(const std::vector<std::string>& arguments);
int run_eval_divergence(const std::vector<std::string>& arguments);
int run_eval_associative(const std::vector<std::string>& arguments);

}  // namespace memside::cli
