#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "base/number.h"
#include "cli/terminal.h"

namespace memside::cli {
namespace {

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

constexpr double between_updates_s = 0.1;  // of the line on a terminal
constexpr double between_lines_s = 10.0;

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(const RunProgress& progress) {
    const auto time = Clock::now();
    const bool first = now_.total == 0;
    now_ = progress;
    if (first && progress.kept > 0) {
        note(what_, fmt::format("{} of {} points are kept from an earlier run", progress.kept,
                                progress.total));
    }
    if (seconds(time - last_) < (terminal_ ? between_updates_s : between_lines_s)) return;
    last_ = time;
    const std::size_t run = progress.done - progress.kept;
    std::string text = fmt::format("{} of {} points", progress.done, progress.total);
    if (run > 0) {
        const double each = seconds(time - start_) / static_cast<double>(run);
        text +=
            fmt::format(", about {} left",
                        format_seconds(each * static_cast<double>(progress.total - progress.done)));
    }
    if (!terminal_) return note(what_, text);
    shown_ = true;
    const std::string line = fmt::format("\r\x1b[Kmemside {}: {}", what_, text);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

void Progress::finish() {
    if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
    const double took = seconds(Clock::now() - start_);
    if (took < 1.0) return;
    note(what_, fmt::format("{} points in {}", now_.done - now_.kept, format_seconds(took)));
}

}  // namespace memside::cli
