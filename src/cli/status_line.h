// How far long work is, on standard error: on a terminal one line that is written over,
// elsewhere a line now and then. One of a second says nothing.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace memside::cli {

class StatusLine {
  public:
    // `command` begins every line: "eval".
    explicit StatusLine(std::string command);
    ~StatusLine() { clear(); }
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    // Calls `text` for what to say when it is time to say something.
    void show(const std::function<std::string()>& text);
    // Takes away what a terminal shows.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;

    std::string command_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
    bool shown_ = false;
};

}  // namespace memside::cli
