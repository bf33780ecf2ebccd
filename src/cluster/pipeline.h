// Decoding in a pipeline of stages: groups of requests follow one another, and each starts its next
// token when the last stage has finished the one before.
#pragma once

#include <vector>

namespace memside {

struct PipelineStep {
    double step_s = 0;     // one token for every group, in steady state
    double path_s = 0;     // the longest way of a group through all stages
    double slowest_s = 0;  // work of the busiest stage in a step
};

// times[stage][group]: how long a stage works on a group, and latency_s passes on the way to the
// next stage, from the last to the first as well. Stages serve groups in turn.
PipelineStep pipeline_step(const std::vector<std::vector<double>>& times, double latency_s);

}  // namespace memside
