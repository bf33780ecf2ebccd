// What bounds a simulated step and what would help, found by simulating again with one thing
// improved at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/result.h"
#include "study/settings.h"

namespace memside {

// One thing made better: twice a rate, a capacity or a count, half a latency.
struct Improvement {
    std::string name;   // "pnm.memory_bandwidth x 2"
    std::string limit;  // what it relieves: "PNM bandwidth", "link latency", "capacity"
    std::vector<Setting> settings;
    // With the batch as it was asked for: the largest that fits may grow.
    std::optional<double> throughput_ratio;  // over the original; nothing when it cannot run
    std::int64_t batch = 0;
    std::string reason;  // why it cannot run
};

// A phase of the critical path, and how near its work comes to what the hardware could do.
struct PhaseBound {
    std::string name;
    double time_s = 0;
    double share = 0;      // of the step
    std::string resource;  // that most of it runs on: "gpu", "pnm", "uplink"
    // The improvement that shortens the phase most at the same batch, and by which part; none when
    // none shortens it by a tenth.
    std::string bound;
    double relief = 0;
    // Of one device or of one link, while it works; 0 where it moves or computes nothing.
    double bytes_per_s = 0;
    double peak_bytes_per_s = 0;
    double flop_per_s = 0;
    double peak_flop_per_s = 0;
};

struct Explanation {
    SimulationResult result;  // made again
    bool same = true;         // as the saved one; descriptions may have changed since
    std::vector<PhaseBound> phases;
    std::vector<Improvement> improvements;  // the most helpful first
};

// Doubles or halves whatever the result has read, and the number of devices; and at the same
// hardware, half-batches and half the budget. Independent of the number of threads.
std::vector<Improvement> possible_improvements(const SimulationResult& result,
                                               const SimulationRequest& request);

// bad_input that begins with `file` when the result does not say how to make it again, or what it
// names is gone; infeasible when nothing fits in it.
Result<Explanation> explain(const SimulationResult& saved, const std::string& file, unsigned jobs);

// At most 100 columns wide.
std::string explanation_text(const Explanation& explanation, bool colour);

}  // namespace memside
