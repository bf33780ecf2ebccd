// The subcommands of `memside aim`: one file each, listed in aim_command.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "pim/program.h"

namespace memside {
struct PimRun;
}  // namespace memside

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

// Whether the file begins as a dynamic program in binary form.
Result<bool> is_dynamic_program(const std::string& path);

// Times one step of a dynamic program: fills what PimRun has of it, energy apart. The options of
// `aim run`; `run` has program, options and timing.
Status run_dynamic(const Options& options, PimRun& run);

}  // namespace memside::cli
