#include "cluster/serving_pim.h"

#include "cluster/pim_holding.h"

namespace memside {
namespace {

std::unique_ptr<ServingMemory> stages_of(const PimServingSetup& setup) {
    std::vector<MemoryPool> pools;
    std::vector<PimStageMemory> seen;
    for (const PimStage& stage : setup.plan.stages) {
        const PimStageMemory memory =
            pim_stage_memory(setup.plan, stage, setup.model, setup.machine, setup.options);
        // Stages that are alike are full at the same time.
        if (std::find(seen.begin(), seen.end(), memory) != seen.end()) continue;
        seen.push_back(memory);
        kv::AllocationOptions options;
        options.capacity_bytes = memory.room_bytes;
        MemoryPool pool;
        pool.bytes = [each = memory.token_bytes](std::int64_t tokens) { return each * tokens; };
        if (setup.options.access == PimAccess::reserved) {
            options.max_request_bytes =
                pool.bytes(reserved_tokens(setup.model, setup.options, setup.longest_tokens));
            pool.allocator = kv::make_static_allocator(options);
        } else {
            options.chunk_bytes = memory.chunk_bytes;
            pool.allocator = kv::make_chunked_allocator(options);
        }
        pools.push_back(std::move(pool));
    }
    return make_shared_memory(std::move(pools));
}

class PimStepModel final : public StepModel {
  public:
    PimStepModel(const PimServingSetup& setup, PimKernels& kernels)
        : setup_(setup), kernels_(kernels), memory_(stages_of(setup)) {}

    ServingMemory& memory() override { return *memory_; }

    Result<StepCost> step(const std::vector<ActiveRequest>& running) override {
        std::vector<std::int64_t> contexts;
        double tokens = 0.0;
        for (const ActiveRequest& request : running) {
            contexts.push_back(request.tokens);
            tokens += static_cast<double>(request.tokens);
        }
        MEMSIDE_TRY(const PimStep step, plan_pim_step(setup_.model, setup_.machine, setup_.plan,
                                                      setup_.options, kernels_, contexts));
        StepCost cost;
        cost.step_s = step.step_s;
        cost.phases = step.phases;
        const double channels = static_cast<double>(setup_.machine.modules) *
                                setup_.machine.module.channel_groups * pim::channel_count;
        cost.resources = {{"pim, mean", step.mean_busy_s},
                          {"pim, slowest", step.most_busy_s},
                          {"pim channel, mean", step.work.kernels.open_channel_s / channels}};
        cost.energy_j = pim_energy(step, setup_.machine, setup_.description, setup_.options);
        cost.kv_bytes_read = tokens * static_cast<double>(setup_.model.kv_bytes_per_token(16));
        cost.macs = step.work.kernels.macs();
        cost.mac_busy_s =
            step.step_s * pim_mac_utilization(step, setup_.machine, setup_.description.timing);
        cost.device_busy_s = step.mean_busy_s;
        cost.kv_live_share = cost.kv_bytes_read / setup_.kv_capacity_bytes;
        cost.micro_batches = step.groups;
        return cost;
    }

    std::vector<EnergyShare> idle_energy_j(double seconds) override {
        PimStep nothing;
        nothing.step_s = seconds;
        return pim_energy(nothing, setup_.machine, setup_.description, setup_.options);
    }

  private:
    const PimServingSetup setup_;
    PimKernels& kernels_;
    std::unique_ptr<ServingMemory> memory_;
};

}  // namespace

std::unique_ptr<StepModel> make_pim_step_model(const PimServingSetup& setup, PimKernels& kernels) {
    return std::make_unique<PimStepModel>(setup, kernels);
}

}  // namespace memside
