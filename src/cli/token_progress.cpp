#include "cli/token_progress.h"

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

TokenProgress::TokenProgress(std::string what, std::int64_t total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1) {}

void TokenProgress::show(std::int64_t tokens) {
    const auto time = Clock::now();
    if (tokens == total_) {
        if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
        return;
    }
    if (seconds(time - start_) < silence_s) return;
    if (seconds(time - last_) < (terminal_ ? between_updates_s : between_lines_s)) return;
    last_ = time;
    // No time that is left: a token costs more the more tokens are before it.
    const std::string text = fmt::format("{} of {} {} after {}", tokens, total_, unit_,
                                         format_seconds(seconds(time - start_)));
    if (!terminal_) return note(what_, text);
    shown_ = true;
    const std::string line = fmt::format("\r\x1b[Kmemside {}: {}", what_, text);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

}  // namespace memside::cli
