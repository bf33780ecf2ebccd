#include "cluster/serving_gpu.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cluster/accounting.h"
#include "cluster/admission.h"
#include "cluster/energy.h"

namespace memside {
namespace {

// 1, 2, 3, 4, 6, 8, 12, ...: the next that is no smaller.
std::int64_t rounded_batch(std::int64_t batch) {
    std::int64_t power = 1;
    while (2 * power < batch) power *= 2;
    if (batch <= power) return power;
    return 2 * batch <= 3 * power ? 3 * power / 2 : 2 * power;
}

void add(Requests& requests, std::int64_t context_tokens) {
    for (RequestGroup& group : requests) {
        if (group.context_tokens != context_tokens) continue;
        ++group.count;
        return;
    }
    requests.push_back({context_tokens, 1});
}

class PolicyStepModel final : public GpuStepModel {
  public:
    PolicyStepModel(const SimulationRequest& request, const Policy& policy,
                    const Hardware& hardware, const DecodeJob& job, ConstantReader& constants)
        : request_(request),
          policy_(policy),
          hardware_(hardware),
          job_(job),
          constants_(constants),
          memory_(make_memory()) {}

    ServingMemory& memory() override { return *memory_; }
    const FullestStep& fullest() const override { return fullest_; }

    Result<StepCost> step(const std::vector<ActiveRequest>& running) override {
        const BatchPart whole = part_of(running);
        const auto batch = std::ssize(running);
        SampledPages pages;
        if (selects()) {
            MEMSIDE_TRY(pages, pages_of(batch));
        }
        StepShape shape;
        if (request_.half_batches) {
            shape = half_batches(whole);
        } else {
            shape.parts.push_back(whole);
        }
        MEMSIDE_TRY(StepPlan plan, policy_.plan(hardware_, job_, pages.shares, shape));
        Schedule schedule = run(plan.graph);
        StepCost cost = cost_of(plan, schedule);
        cost.kv_live_share =
            live_kv_bytes(policy_, hardware_, job_, whole.requests) / kv_capacity_bytes_;
        if (batch > fullest_.batch) {
            fullest_ = {batch, std::move(plan), std::move(schedule), std::nullopt};
            if (selects()) fullest_.pages = std::move(pages);
        }
        return cost;
    }

    std::vector<EnergyShare> idle_energy_j(double seconds) override {
        Schedule nothing;
        nothing.makespan_s = seconds;
        return energy_parts(TaskGraph(), nothing, constants_,
                            policy_.modules(hardware_, {}, seconds).energy);
    }

  private:
    bool selects() const {
        return policy_.selects_pages() && selecting_layers(job_.model, job_.format) > 0;
    }

    Fit fit(std::int64_t tokens) const {
        DecodeJob one = job_;
        one.context_tokens = std::max<std::int64_t>(1, tokens);
        return policy_.fit(hardware_, one);
    }

    // In a module beside GPUs a request takes an equal share of all. Chunks are pages: of KV and of
    // what lies beside it on the device.
    MemoryPool pool(double capacity_bytes, std::function<double(const Fit&)> request_bytes) const {
        MemoryPool pool;
        pool.bytes = [this, request_bytes](std::int64_t tokens) {
            return std::llround(request_bytes(fit(tokens)));
        };
        kv::AllocationOptions options;
        options.capacity_bytes = std::max<std::int64_t>(0, std::llround(capacity_bytes));
        options.chunk_bytes = std::max<std::int64_t>(1, pool.bytes(job_.format.page_tokens));
        pool.allocator = kv::make_chunked_allocator(options);
        return pool;
    }

    std::unique_ptr<ServingMemory> make_memory() {
        const Fit longest = fit(job_.context_tokens);
        const SimulationResult::Capacity& capacity = longest.capacity;
        kv_capacity_bytes_ = longest.kv_capacity_bytes;
        const double left = capacity.capacity_bytes - capacity.weight_bytes;
        const auto on_device = [](const Fit& one) { return one.capacity.request_bytes; };
        std::vector<MemoryPool> pools;
        if (policy_.uses_pnm()) {
            for (int d = 0; d < hardware_.pnm->fabric.devices; ++d) {
                pools.push_back(pool(left, on_device));
            }
            return make_placed_memory(std::move(pools), job_.placement);
        }
        pools.push_back(pool(left, on_device));
        if (policy_.uses_cxl()) {
            pools.push_back(
                pool(kv_capacity_bytes_, [](const Fit& one) { return one.kv_request_bytes; }));
        }
        return make_shared_memory(std::move(pools));
    }

    BatchPart part_of(const std::vector<ActiveRequest>& running) const {
        BatchPart part;
        if (policy_.uses_pnm()) {
            part.by_device.resize(static_cast<std::size_t>(hardware_.pnm->fabric.devices));
        }
        for (const ActiveRequest& request : running) {
            add(part.requests, request.tokens);
            if (policy_.uses_pnm()) {
                add(part.by_device[memory_->device_of(request.id)], request.tokens);
            }
        }
        return part;
    }

    // Of the workload's requests as they come, with what stays on the GPUs at that batch.
    Result<SampledPages> pages_of(std::int64_t batch) {
        const std::int64_t rounded = rounded_batch(batch);
        const auto residency = [&](std::int64_t context) {
            DecodeJob one = job_;
            one.context_tokens = context;
            return policy_.residency(hardware_, one, rounded);
        };
        // What does not depend on the batch needs no second sample.
        const auto mean = static_cast<std::int64_t>(std::llround(request_.workload.mean_context()));
        const std::int64_t key = residency(mean).pool_pages;
        if (const auto found = pages_.find(key); found != pages_.end()) return found->second;
        Requests all;
        for (const ServedRequest& one : request_.workload.requests) add(all, one.context_tokens);
        MEMSIDE_TRY(SampledPages sample,
                    sample_pages(job_, all, request_.selection, residency, request_.seed));
        return pages_.emplace(key, std::move(sample)).first->second;
    }

    StepCost cost_of(const StepPlan& plan, const Schedule& schedule) {
        StepCost cost;
        cost.step_s = schedule.makespan_s;
        cost.phases = critical_phases(plan.graph, schedule);
        SimulationResult busy;
        add_resources(plan.graph, schedule, busy);
        cost.resources = std::move(busy.resources);
        for (const ResourceBusy& resource : cost.resources) {
            if (resource.name == "gpu") cost.gpu_busy_s = resource.busy_s;
            if (resource.name == "pnm" || resource.name == "cxl" || resource.name == "pim") {
                cost.device_busy_s = resource.busy_s;
            }
        }
        const ModuleShare modules = policy_.modules(hardware_, plan, schedule.makespan_s);
        cost.energy_j = energy_parts(plan.graph, schedule, constants_, modules.energy);
        cost.macs = plan.pim_kernels.macs();
        cost.mac_busy_s = schedule.makespan_s * modules.mac_utilization.value_or(0.0);
        cost.kv_bytes_read = plan.kv_bytes_read;
        cost.digest_bytes_read = plan.digest_bytes_read;
        cost.bytes_recalled = plan.bytes_recalled;
        return cost;
    }

    const SimulationRequest& request_;
    const Policy& policy_;
    const Hardware& hardware_;
    const DecodeJob& job_;
    ConstantReader& constants_;
    double kv_capacity_bytes_ = 0.0;
    std::unique_ptr<ServingMemory> memory_;
    std::map<std::int64_t, SampledPages> pages_;  // by pages of the pool
    FullestStep fullest_;
};

}  // namespace

std::unique_ptr<GpuStepModel> make_gpu_step_model(const SimulationRequest& request,
                                                  const Policy& policy, const Hardware& hardware,
                                                  const DecodeJob& job, ConstantReader& constants) {
    return std::make_unique<PolicyStepModel>(request, policy, hardware, job, constants);
}

}  // namespace memside
