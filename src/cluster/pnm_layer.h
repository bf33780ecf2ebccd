// The CXL-PNM devices running the compiled program of one layer (pnm/layer_program.h), each for the
// requests that it owns, all at the same time.
#pragma once

#include <vector>

#include "cluster/fabric_transfer.h"
#include "cluster/policy.h"

namespace memside {

// Number of requests on each device.
std::vector<double> counts(const std::vector<Requests>& by_device);

// The devices of a system in one step's graph.
class PnmDevices {
  public:
    PnmDevices(StepPlan& step, const PnmPool& pool, const DecodeJob& job, const PageShares& pages);

    // The program up to its attention: append and, in a selecting layer, score and sort; device d
    // is ready after `arrived[d]`.
    Result<std::vector<TaskId>> select(int layer, const std::vector<Requests>& by_device,
                                       const std::vector<TaskId>& arrived);

    // Attention over what the layer attends: the selected pages less those in the
    // pool when the GPUs attend them (`pool_elsewhere`), or all that the layer keeps.
    Result<std::vector<TaskId>> attend(int layer, const std::vector<Requests>& by_device,
                                       bool pool_elsewhere, const std::vector<TaskId>& after);

  private:
    const pnm::LayerProgram& program(int layer) const;
    Status call(const pnm::KernelCall& kernel, std::size_t device, int layer,
                const pnm::Symbols& symbols, double repeats, TaskId& after);
    Status add(std::size_t device, std::string_view name, int layer, const Operation& operation,
               double repeats, TaskId& after);

    StepPlan& step_;
    const PnmPool& pool_;
    const DecodeJob& job_;
    const PageShares& pages_;
    std::vector<ResourceId> resources_;
};

}  // namespace memside
