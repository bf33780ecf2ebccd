#include "cli/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/file.h"

namespace memside::cli {

int print(const std::string& command, std::string_view text) {
    const Status written = write_standard_output(text);
    return written.ok() ? 0 : fail(command, written.error());
}

int fail(const std::string& command, const Error& error) {
    note(command, error.message());
    return error.exit_status();
}

void note(const std::string& command, std::string_view text) {
    const std::string line =
        fmt::format("memside{}{}: {}\n", command.empty() ? "" : " ", command, text);
    // Not fmt::print, which throws when the write fails.
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool wants_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace memside::cli
