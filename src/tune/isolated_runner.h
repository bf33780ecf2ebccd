// Measures candidates in a process of their own, so that one that crashes, hangs or takes all
// memory is a recorded failure and nothing else.
//
// The constructor forks a guard, which stays free of threads; the guard forks the worker that
// measures, forwards requests to it, stops it at the limit and replaces it. Workers can therefore
// be made at any time, whatever threads the caller has by then. The guard ends with its caller, the
// worker with the guard.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "base/result.h"
#include "tune/kernel.h"
#include "tune/trial.h"

namespace memside::tune {

struct RunnerLimits {
    double time_s = 30;  // of one candidate: compiling, comparing, timing
    // Address space beyond that of the process as it was forked; 0: no limit. Builds with a
    // sanitizer, whose shadow memory is address space, have none.
    std::size_t memory_bytes = std::size_t{4} << 30;
};

class IsolatedRunner {
  public:
    // To be made before the process has other threads. The Error says what the system refused.
    static Result<std::unique_ptr<IsolatedRunner>> start(MeasurerFactory factory,
                                                         const RunnerLimits& limits);
    ~IsolatedRunner();
    IsolatedRunner(const IsolatedRunner&) = delete;
    IsolatedRunner& operator=(const IsolatedRunner&) = delete;

    // A candidate that crashes a worker which has measured others before is tried once more in a
    // fresh one, so that it does not answer for them. The Error: the factory's, or the guard is
    // gone.
    Result<TrialResult> run(const Point& point, const Sampling& sampling);

  private:
    IsolatedRunner(int socket, pid_t guard) : socket_(socket), guard_(guard) {}

    int socket_;
    pid_t guard_;
};

}  // namespace memside::tune
