// Serving with GPUs, and memory beside them: steps and memory of the policies `dense`, `recall`,
// `pnm-kv` and `png-kv`, and of `pim` beside GPUs.
#pragma once

#include <optional>

#include "cluster/page_sample.h"
#include "cluster/serving.h"
#include "cluster/simulate.h"

namespace memside {

class GpuStepModel : public StepModel {
  public:
    // The step with the most requests so far: what results show of one step.
    struct FullestStep {
        std::int64_t batch = 0;
        StepPlan plan;
        Schedule schedule;
        std::optional<SampledPages> pages;  // of a policy that selects
    };
    virtual const FullestStep& fullest() const = 0;
};

// `job.context_tokens`: that the longest request ends with. All outlive the model. Page counts come
// from a sample of the workload's requests, once for each of a few batch sizes where what stays on
// the GPUs depends on the batch.
std::unique_ptr<GpuStepModel> make_gpu_step_model(const SimulationRequest& request,
                                                  const Policy& policy, const Hardware& hardware,
                                                  const DecodeJob& job, ConstantReader& constants);

}  // namespace memside
