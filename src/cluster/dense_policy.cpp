// `dense`: the whole KV cache in HBM, every token attended, heads split over the GPUs. What a GPU
// server does without any memory beside it.
#include <cmath>

#include "base/number.h"
#include "cluster/fc_layer.h"
#include "cluster/policy.h"

namespace memside {
namespace {

class DensePolicy final : public Policy {
  public:
    std::string_view name() const override { return "dense"; }
    std::string_view summary() const override {
        return "all KV in HBM, every token attended on the GPUs";
    }
    bool selects_pages() const override { return false; }
    bool uses_pnm() const override { return false; }
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
        fit.kv_request_bytes = capacity.request_bytes * hardware.gpus;
        if (fit.max_batch == 0) fit.reason = shortage(capacity, fit.request);
        return fit;
    }

    Result<StepPlan> plan(const Hardware& hardware, const DecodeJob& job,
                          std::int64_t batch) const override {
        const ModelSpec& model = job.model;
        StepPlan step;
        const ResourceId gpu = step.graph.add_resource("GPUs", "gpu");
        const ResourceId link = step.graph.add_resource("GPU link", "gpu_link");
        const auto requests = static_cast<double>(batch);
        FcBuilder fc(model, hardware, requests, gpu, link);
        const double kv_bits = kv::bits(job.format.value_type);
        const double token_bytes =
            2.0 * fc.shard().kv_heads * model.head_dim * kv_bits / 8.0 * requests;

        std::vector<TaskId> after;
        for (int layer = 0; layer < model.layers; ++layer) {
            const TaskId qkv = fc.before_attention(step.graph, layer, after);
            const TaskId append = fc.gpu_task(step.graph, "append", "attention", layer,
                                              KvAppend{token_bytes, 0.0, 0.0}, {qkv});
            const auto tokens = static_cast<double>(model.kept_tokens(layer, job.context_tokens));
            Attention attention;
            attention.requests = requests;
            attention.query_heads = fc.shard().query_heads;
            attention.kv_heads = fc.shard().kv_heads;
            attention.head_dim = model.head_dim;
            attention.tokens = tokens;
            attention.kv_bits = kv_bits;
            const TaskId attended =
                fc.gpu_task(step.graph, "attention", "attention", layer, attention, {append});
            step.kv_bytes_read +=
                hardware.gpus * step.graph.tasks()[static_cast<std::size_t>(attended)].bytes;
            after = {fc.after_attention(step.graph, layer, {attended})};
        }
        fc.finish(step.graph, after.front());
        step.gpu_energy_j = fc.gpu_energy_j();
        step.link_energy_j = fc.link_energy_j();
        return step;
    }

  private:
    static std::string shortage(const SimulationResult::Capacity& capacity,
                                const kv::RequestBytes& request) {
        return fmt::format(
            "each of {} GPUs has {} of HBM to use, its share of the weights takes "
            "{}, and one request's KV would take {} more ({} over all GPUs)",
            capacity.devices, format_bytes(capacity.capacity_bytes),
            format_bytes(capacity.weight_bytes), format_bytes(capacity.request_bytes),
            format_bytes(static_cast<double>(request.kv_bytes)));
    }
};

}  // namespace

std::unique_ptr<Policy> make_dense_policy() {
    return std::make_unique<DensePolicy>();
}

}  // namespace memside
