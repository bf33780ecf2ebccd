// Standard output and standard error of a command.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace memside::cli {

// Prints all of `text` to standard output; returns the exit status: 0, or that of fail().
int print(const std::string& command, std::string_view text);

// Prints "memside COMMAND: message" to standard error, where failing is nobody's to hear, and
// returns the exit status. An empty command is the program itself.
int fail(const std::string& command, const Error& error);

// One line on standard error: what is worth saying beside the output.
void note(const std::string& command, std::string_view text);

// Whether standard output is a terminal whose user has not set NO_COLOR (https://no-color.org).
bool wants_colour();

}  // namespace memside::cli
