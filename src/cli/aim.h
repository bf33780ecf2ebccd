// The subcommands of `memside aim`: one file each, listed in aim_command.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "pim/program.h"

namespace memside::cli {

// Each runs with the arguments after its name and returns the exit status.
int run_aim_run(const std::vector<std::string>& arguments);
int run_aim_exec(const std::vector<std::string>& arguments);
int run_aim_asm(const std::vector<std::string>& arguments);
int run_aim_disasm(const std::vector<std::string>& arguments);

// The one argument without a name, `name` in messages.
Result<std::string> only_argument(const Options& options, const std::string& name);

// Reads a program as text, or in its binary form.
Result<pim::Program> read_program(const std::string& path, bool from_binary);

}  // namespace memside::cli
