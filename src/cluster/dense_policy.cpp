// `dense`: the whole KV cache in HBM, every token attended, heads split over the GPUs. What a GPU
// server does without any memory beside it.
#include <cmath>

#include "base/number.h"
#include "cluster/fc_layer.h"
#include "cluster/policy.h"

namespace memside {
namespace {

class DenseAttention final : public AttentionSide {
  public:
    DenseAttention(StepPlan& step, const DecodeJob& job) : step_(step), job_(job) {}

    Result<std::vector<TaskId>> attend(FcBuilder& fc, int layer, const BatchPart& part,
                                       TaskId qkv) override {
        const ModelSpec& model = job_.model;
        Attention op;
        op.requests = static_cast<double>(request_count(part.requests));
        op.query_heads = fc.shard().query_heads;
        op.kv_heads = fc.shard().kv_heads;
        op.head_dim = model.head_dim;
        op.tokens = mean_kept_tokens(model, layer, part.requests);
        op.kv_bits = kv::bits(job_.format.value_type);
        const double token_bytes = op.requests * 2.0 * op.kv_heads * op.head_dim * op.kv_bits / 8.0;
        const TaskId append = fc.gpu_task(step_.graph, "append", "append", layer,
                                          KvAppend{token_bytes, 0.0, 0.0}, {qkv});
        const TaskId attended =
            fc.gpu_task(step_.graph, "attention", "attention", layer, op, {append});
        step_.kv_bytes_read +=
            step_.graph.tasks().back().bytes / fc.shard().kv_share * fc.shard().kv_copies;
        return std::vector<TaskId>{attended};
    }

  private:
    StepPlan& step_;
    const DecodeJob& job_;
};

class DensePolicy final : public Policy {
  public:
    std::string_view name() const override { return "dense"; }
    std::string_view summary() const override {
        return "all KV in HBM, every token attended on the GPUs";
    }
    bool selects_pages() const override { return false; }
    Status supports(const SystemSpec&) const override { return {}; }

    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        const TensorShard shard = TensorShard::of(job.model, hardware.gpus);
        Fit fit;
        fit.request.kv_bytes =
            kv::dense_request_bytes(job.model, job.format.value_type, job.context_tokens);
        SimulationResult::Capacity& capacity = fit.capacity;
        capacity.device = "gpu";
        capacity.devices = hardware.gpus;
        capacity.capacity_bytes = hardware.gpu_usable_bytes;
        capacity.weight_bytes = shard.weight_bytes;
        capacity.request_bytes = static_cast<double>(fit.request.kv_bytes) * shard.kv_share;
        const double left = capacity.capacity_bytes - capacity.weight_bytes;
        if (left > 0.0) {
            fit.max_batch = static_cast<std::int64_t>(std::floor(left / capacity.request_bytes));
        }
        capacity.requests_per_device = fit.max_batch;
        fit.kv_capacity_bytes = left * hardware.gpus;
        fit.kv_request_bytes = static_cast<double>(fit.request.kv_bytes) * shard.kv_copies;
        if (fit.max_batch == 0) fit.reason = shortage(capacity, fit.request);
        return fit;
    }

    std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware&, const DecodeJob& job,
                                             const PageShares&) const override {
        return std::make_unique<DenseAttention>(step, job);
    }

  private:
    static std::string shortage(const SimulationResult::Capacity& capacity,
                                const kv::RequestBytes& request) {
        return fmt::format(
            "{} has {} of HBM to use, its share of the weights takes "
            "{}, and one request's KV would take {} more ({} over all GPUs)",
            each_gpu(capacity.devices), format_bytes(capacity.capacity_bytes),
            format_bytes(capacity.weight_bytes), format_bytes(capacity.request_bytes),
            format_bytes(static_cast<double>(request.kv_bytes)));
    }
};

}  // namespace

std::unique_ptr<Policy> make_dense_policy() {
    return std::make_unique<DensePolicy>();
}

}  // namespace memside
