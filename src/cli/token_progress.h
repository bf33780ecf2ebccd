// How far a prompt is, or other work of one unit, on standard error: on a terminal one line that is
// written over, elsewhere a line now and then. Prompts of a second say nothing.
#pragma once

#include <cstdint>
#include <string>

#include "cli/status_line.h"

namespace memside::cli {

class TokenProgress {
  public:
    // `what` begins every line: "run". `unit`: what is counted.
    TokenProgress(std::string what, std::int64_t total, std::string unit = "prompt tokens");

    // `tokens` of the total, or other units, are in.
    void show(std::int64_t tokens);

  private:
    std::int64_t total_;
    std::string unit_;
    StatusLine line_;
};

}  // namespace memside::cli
