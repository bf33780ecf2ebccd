// `--policy pim` on GPUs with DRAM-PIM modules beside them: FC tensor parallel on the GPUs, KV and
// attention in the modules (docs/comparison.md). Under hfp with static reservation it stands for
// the GPU+PIM baseline of LoL-PIM (arXiv 2412.20166v1).
#pragma once

#include <memory>
#include <vector>

#include "cluster/pim_kernels_between.h"
#include "cluster/pim_plan.h"
#include "cluster/policy.h"
#include "cluster/simulate.h"

namespace memside {

// (KV head, request) pairs of a part of the batch by module. A pair lives in one module, with all
// layers, so that every module works in every layer.
struct PimPairs {
    std::vector<std::vector<std::int64_t>> contexts;  // of a module's pairs, the longest first
};

// The longest pairs first, each to the module with the fewest tokens.
PimPairs deal_pairs(const ModelSpec& model, const Requests& requests, int modules);

// Bytes that a pair of that context takes, all layers, the new token included: with static access
// the model's window, with dpa whole rows of one channel (hfp) or of 32 (tcp).
double pair_bytes(const ModelSpec& model, const PimOptions& options, std::int64_t context);

// What a module does for its pairs in one layer.
struct PimModuleWork {
    double aim_s = 0;  // channels
    double hub_s = 0;  // softmax, while the channels of its group wait
    PimKernelTime kernels;
};
Result<PimModuleWork> attend_pairs(const ModelSpec& model, const PimModule& module,
                                   const PimOptions& options, PimKernels& kernels,
                                   const std::vector<std::int64_t>& contexts);

// The policy for such systems. All outlive it.
std::unique_ptr<Policy> make_gpu_pim_policy(const PimOptions& options,
                                            const PimDescription& description, PimKernels& kernels);

// The modules' side of a simulation of such a system.
class GpuPim {
  public:
    // bad_input for what is not modelled on it, by name.
    static Result<std::unique_ptr<GpuPim>> make(const SimulationRequest& request);

    const Policy& policy() const { return *policy_; }

    // What the modules' side rests on.
    void add_assumptions(SimulationResult& result) const;

    GpuPim(const SimulationRequest& request, PimDescription description);
    // Keeps the kernels' times; a cache that cannot be written costs time only.
    ~GpuPim() { static_cast<void>(kernels_.save().ok()); }
    GpuPim(const GpuPim&) = delete;
    GpuPim& operator=(const GpuPim&) = delete;

  private:
    PimOptions options_;
    bool served_;  // a workload
    PimDescription description_;
    std::unique_ptr<PimKernels> programs_;
    RememberedKernels kernels_;
    KernelsBetween between_;  // of a workload's many lengths
    std::unique_ptr<Policy> policy_;
};

}  // namespace memside
