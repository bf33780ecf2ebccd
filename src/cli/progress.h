// How far a study is, on standard error: on a terminal one line that is written over, elsewhere a
// line now and then.
#pragma once

#include <chrono>
#include <string>

#include "study/runner.h"

namespace memside::cli {

class Progress {
  public:
    // `what` begins every line: "sweep", "experiment pnm-fig12".
    explicit Progress(std::string what);

    void show(const RunProgress& progress);
    // Ends the line on a terminal; elsewhere says how long a run of several seconds took.
    void finish();

  private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
    RunProgress now_;
    bool shown_ = false;
};

}  // namespace memside::cli
