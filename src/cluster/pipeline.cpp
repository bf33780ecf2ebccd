#include "cluster/pipeline.h"

#include <algorithm>
#include <cassert>

namespace memside {

PipelineStep pipeline_step(const std::vector<std::vector<double>>& times, double latency_s) {
    assert(!times.empty() && !times.front().empty());
    const std::size_t stages = times.size();
    const std::size_t groups = times.front().size();
    PipelineStep step;
    for (const std::vector<double>& stage : times) {
        double sum = 0;
        for (const double time : stage) sum += time;
        step.slowest_s = std::max(step.slowest_s, sum);
    }
    for (std::size_t g = 0; g < groups; ++g) {
        double sum = static_cast<double>(stages) * (stages > 1 ? latency_s : 0.0);
        for (std::size_t s = 0; s < stages; ++s) sum += times[s][g];
        step.path_s = std::max(step.path_s, sum);
    }
    // The event times are linear in the long run; a mean over the second half leaves the start out.
    const std::size_t steps = 2 * (stages + groups) + 2;
    std::vector<double> free(stages, 0.0);   // when a stage has finished its group before
    std::vector<double> ready(groups, 0.0);  // when a group may start its next token
    double half = 0;
    for (std::size_t k = 0; k < steps; ++k) {
        for (std::size_t g = 0; g < groups; ++g) {
            double at = ready[g];
            for (std::size_t s = 0; s < stages; ++s) {
                at = std::max(at, free[s]) + times[s][g];
                free[s] = at;
                if (stages > 1) at += latency_s;
            }
            ready[g] = at;
        }
        if (k + 1 == steps / 2) half = ready.back();
    }
    step.step_s = (ready.back() - half) / static_cast<double>(steps - steps / 2);
    return step;
}

}  // namespace memside
