// What a target implements so that its candidates can be measured. Both interfaces live in the
// worker process of isolated_runner.h, which may end at any time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "tune/search_space.h"

namespace memside::tune {

// A compiled candidate with its operands.
class Kernel {
  public:
    virtual ~Kernel() = default;

    // Overwrites the output with what no result is, so that nothing older can pass for one.
    virtual void clear_output() = 0;
    virtual void run() = 0;
    // What the last run left, in the reference's layout.
    virtual std::vector<std::byte> output() const = 0;
};

class Measurer {
  public:
    virtual ~Measurer() = default;

    // Compiles a valid canonical point; the Error says why it cannot be.
    virtual Result<std::unique_ptr<Kernel>> build(const Point& point) = 0;
    // What every kernel's output must equal, byte for byte.
    virtual std::span<const std::byte> reference() const = 0;
};

// Called in each new worker process. What is costly, such as the reference, is computed before the
// runner is made, and without threads: workers inherit it.
using MeasurerFactory = std::function<Result<std::unique_ptr<Measurer>>()>;

// How long a kernel takes is the median of `samples`, each the mean of as many runs as take
// `sample_ns` (one at least).
struct Sampling {
    int samples = 5;
    double sample_ns = 2e6;
    // By the processor time of the thread that calls run(), which others on the machine disturb
    // least: for kernels that run on that thread alone. Else by the wall clock.
    bool thread_time = false;
};

}  // namespace memside::tune
