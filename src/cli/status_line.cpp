#include "cli/status_line.h"

#include <unistd.h>

#include <cstdio>

#include "base/number.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

constexpr double silence_s = 1.0;          // before the first line
constexpr double between_updates_s = 0.1;  // of the line on a terminal
constexpr double between_lines_s = 10.0;

}  // namespace

StatusLine::StatusLine(std::string command)
    : command_(std::move(command)), terminal_(isatty(STDERR_FILENO) == 1) {}

void StatusLine::clear() {
    if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
    shown_ = false;
}

void StatusLine::show(const std::function<std::string()>& text) {
    const auto time = Clock::now();
    if (seconds(time - start_) < silence_s) return;
    if (seconds(time - last_) < (terminal_ ? between_updates_s : between_lines_s)) return;
    last_ = time;
    const std::string said =
        fmt::format("{} after {}", text(), format_seconds(seconds(time - start_)));
    if (!terminal_) return note(command_, said);
    shown_ = true;
    const std::string line = fmt::format("\r\x1b[Kmemside {}: {}", command_, said);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

}  // namespace memside::cli
