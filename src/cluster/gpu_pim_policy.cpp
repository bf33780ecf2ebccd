// The policy of GPU + PIM: a layer's q, k and v go down to the modules, outputs come back.
#include <cmath>
#include <map>

#include "base/number.h"
#include "cluster/fabric_transfer.h"
#include "cluster/gpu_pim.h"
#include "cluster/pim_step.h"

namespace memside {
namespace {

class GpuPimAttention final : public AttentionSide {
  public:
    GpuPimAttention(StepPlan& step, const Hardware& hardware, const DecodeJob& job,
                    const PimOptions& options, PimKernels& kernels)
        : step_(step),
          pool_(*hardware.pim),
          job_(job),
          options_(options),
          kernels_(kernels),
          transfer_(step.graph, pool_.fabric, hardware.gpus) {
        for (int m = 0; m < pool_.fabric.devices; ++m) {
            resources_.push_back(step.graph.add_resource(fmt::format("PIM {}", m), "pim"));
        }
    }

    Result<std::vector<TaskId>> attend(FcBuilder&, int layer, const BatchPart& part,
                                       TaskId qkv) override {
        MEMSIDE_TRY(const Placed* placed, place(part));
        const auto arrived = transfer_.scatter(step_.graph, layer, placed->traffic.down, qkv);
        std::vector<TaskId> attended;
        for (std::size_t m = 0; m < arrived.size(); ++m) {
            const PimModuleWork& work = placed->modules[m];
            attended.push_back(arrived[m]);
            if (work.aim_s == 0) continue;  // no pair of this part
            Task task;
            task.resource = resources_[m];
            task.layer = layer;
            task.name = task.phase = "attention";
            task.duration_s = pool_.module.kernel_latency_s + work.aim_s;
            task.bytes = placed->kv_bytes[m];
            task.flops = 2.0 * work.kernels.macs();
            const TaskId banks = step_.graph.add(task, {arrived[m]});
            // Scores to weights between the two products, together at their end: the sum is the
            // same.
            Task hub;
            hub.resource = resources_[m];
            hub.layer = layer;
            hub.name = hub.phase = "softmax";
            hub.duration_s = work.hub_s;
            attended.back() = step_.graph.add(hub, {banks});
            step_.pim_kernels.add(work.kernels);
            step_.kv_bytes_read += placed->kv_bytes[m];
        }
        return transfer_.gather(step_.graph, layer, placed->traffic.up, attended);
    }

  private:
    struct Placed {
        AttentionTraffic traffic;
        std::vector<PimModuleWork> modules;
        std::vector<double> kv_bytes;  // of a module's pairs in one layer
    };

    // All layers are alike. Parts live as long as the step's shape, so that their place names them.
    Result<const Placed*> place(const BatchPart& part) {
        if (const auto found = placed_.find(&part); found != placed_.end()) return &found->second;
        const ModelSpec& model = job_.model;
        const PimPairs pairs = deal_pairs(model, part.requests, pool_.fabric.devices);
        Placed placed;
        std::vector<double> requests;
        for (const std::vector<std::int64_t>& contexts : pairs.contexts) {
            requests.push_back(static_cast<double>(contexts.size()) / model.kv_heads);
            double tokens = 0;
            for (const std::int64_t context : contexts) tokens += static_cast<double>(context);
            placed.kv_bytes.push_back(tokens * 2.0 * model.head_dim * 2.0);
            MEMSIDE_TRY(PimModuleWork work,
                        attend_pairs(model, pool_.module, options_, kernels_, contexts));
            placed.modules.push_back(work);
        }
        placed.traffic = attention_traffic(model, requests);
        return &placed_.emplace(&part, std::move(placed)).first->second;
    }

    StepPlan& step_;
    const PimPool& pool_;
    const DecodeJob& job_;
    const PimOptions& options_;
    PimKernels& kernels_;
    FabricTransfer transfer_;
    std::vector<ResourceId> resources_;
    std::map<const BatchPart*, Placed> placed_;
};

class GpuPimPolicy final : public Policy {
  public:
    GpuPimPolicy(const PimOptions& options, const PimDescription& description, PimKernels& kernels)
        : options_(options), description_(description), kernels_(kernels) {}

    std::string_view name() const override { return "pim"; }
    std::string_view summary() const override {
        return "FC on the GPUs, KV and attention in DRAM-PIM modules";
    }
    bool selects_pages() const override { return false; }
    bool uses_pim() const override { return true; }
    Status supports(const SystemSpec&) const override { return {}; }

    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        const TensorShard shard = TensorShard::of(job.model, hardware.gpus);
        const PimPool& pool = *hardware.pim;
        Fit fit;
        fit.request.kv_bytes =
            kv::dense_request_bytes(job.model, job.format.value_type, job.context_tokens);
        SimulationResult::Capacity& capacity = fit.capacity;
        if (shard.weight_bytes > hardware.gpu_usable_bytes) {
            capacity = {"gpu", hardware.gpus, hardware.gpu_usable_bytes, shard.weight_bytes, 0, 0,
                        0};
            fit.reason = fmt::format("the weights take {} on {}, with {} of HBM to use",
                                     format_bytes(shard.weight_bytes), each_gpu(hardware.gpus),
                                     format_bytes(hardware.gpu_usable_bytes));
            return fit;
        }
        const double modules = pool.fabric.devices;
        const double pair = pair_bytes(job.model, options_, job.context_tokens);
        const double pairs = std::floor(pool.module.capacity_bytes / pair);
        fit.max_batch = static_cast<std::int64_t>(std::floor(modules * pairs / job.model.kv_heads));
        capacity.device = "pim";
        capacity.devices = pool.fabric.devices;
        capacity.capacity_bytes = pool.module.capacity_bytes;
        capacity.request_bytes = pair * job.model.kv_heads / modules;
        capacity.requests_per_device = fit.max_batch;
        fit.kv_capacity_bytes = modules * pool.module.capacity_bytes;
        fit.kv_request_bytes = static_cast<double>(fit.request.kv_bytes);
        if (fit.max_batch == 0) {
            fit.reason = fmt::format(
                "a module of {} holds {:.0f} pairs of KV head and request, of {} each ({}), and "
                "the {} modules must hold {} of them for one request",
                format_bytes(pool.module.capacity_bytes), pairs, format_bytes(pair),
                options_.access == PimAccess::chunks ? "chunks" : "the window reserved",
                pool.fabric.devices, job.model.kv_heads);
        }
        return fit;
    }

    std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware& hardware,
                                             const DecodeJob& job,
                                             const PageShares&) const override {
        return std::make_unique<GpuPimAttention>(step, hardware, job, options_, kernels_);
    }

    ModuleShare modules(const Hardware& hardware, const StepPlan& plan,
                        double step_s) const override {
        // As of modules by themselves, whose links the fabric stands in for.
        PimMachine machine;
        machine.modules = hardware.pim->fabric.devices;
        machine.module = hardware.pim->module;
        PimStep step;
        step.work.kernels = plan.pim_kernels;
        step.step_s = step_s;
        ModuleShare share;
        share.mac_utilization = pim_mac_utilization(step, machine, description_.timing);
        share.energy = pim_energy(step, machine, description_, options_);
        std::erase_if(share.energy, [](const EnergyShare& part) { return part.name == "links"; });
        return share;
    }

  private:
    const PimOptions& options_;
    const PimDescription& description_;
    PimKernels& kernels_;
};

}  // namespace

std::unique_ptr<Policy> make_gpu_pim_policy(const PimOptions& options,
                                            const PimDescription& description,
                                            PimKernels& kernels) {
    return std::make_unique<GpuPimPolicy>(options, description, kernels);
}

}  // namespace memside
