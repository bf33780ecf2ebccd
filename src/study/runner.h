// Runs the points of a study on all cores. The results do not depend on the number of threads, nor
// on whether some were kept from an earlier run.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/result.h"
#include "study/spec.h"

namespace memside {

struct RunProgress {
    std::size_t done = 0;  // kept ones included
    std::size_t kept = 0;  // from an earlier run
    std::size_t total = 0;
};

struct RunOptions {
    unsigned jobs = 0;    // threads; 0: all cores
    std::string journal;  // file of finished points; empty: none is kept
    bool resume = false;  // whether points that it holds are taken from it
    // Called after the kept points and after each that ends, from one thread at a time.
    std::function<void(const RunProgress&)> progress;
};

// A point on its own, on one thread. When its policy cannot run on its system, or nothing fits, or
// the simulation refuses it, the result has batch 0 and the reason. The timeline is dropped.
SimulationResult run_point(const SimulationRequest& request);

// One result per point in their order. The journal, if any, then holds exactly these. An Error only
// when the journal cannot be written. Points must be readable (expand_points checks that).
Result<std::vector<SimulationResult>> run_points(const std::vector<Point>& points,
                                                 const RunOptions& options);

}  // namespace memside
