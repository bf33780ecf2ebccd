// How far a prompt is, or other work of one unit, on standard error: on a terminal one line that is
// written over, elsewhere a line now and then. Prompts of a second say nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace memside::cli {

class TokenProgress {
  public:
    // `what` begins every line: "run". `unit`: what is counted.
    TokenProgress(std::string what, std::int64_t total, std::string unit = "prompt tokens");

    // `tokens` of the total, or other units, are in.
    void show(std::int64_t tokens);

  private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    std::int64_t total_;
    std::string unit_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
    bool shown_ = false;
};

}  // namespace memside::cli
