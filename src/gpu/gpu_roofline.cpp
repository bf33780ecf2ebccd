#include "gpu/gpu_roofline.h"

#include "gpu/shape_efficiency.h"
#include "system/roofline.h"

namespace memside::gpu {
namespace {

constexpr double half_bytes = 2.0;

class GpuRoofline final : public Device {
  public:
    GpuRoofline(std::string name, const Roofline& roofline, double prompt_flop_per_s,
                const Machine& machine)
        : name_(std::move(name)), roofline_(roofline), prompt_(roofline), machine_(machine) {
        prompt_.flop_per_s = prompt_flop_per_s;
    }

    Result<OperationCost> cost(const Operation& operation) const override {
        return std::visit([this](const auto& op) { return Result<OperationCost>(evaluate(op)); },
                          operation);
    }
    double idle_power_w() const override { return roofline_.idle_power_w; }
    double peak_power_w() const override { return roofline_.limit_power_w; }
    const std::string& name() const override { return name_; }

  private:
    OperationCost evaluate(const Gemm& op) const {
        const double flops = 2.0 * op.m * op.n * op.k;
        OperationCost cost = roofline_.cost(op.weight_bytes + op.activation_bytes,
                                            flops / gemm_efficiency(machine_, op.m, op.n));
        // Padding takes time; zeros take next to no energy.
        cost.flops = flops;
        roofline_.charge(cost);
        return cost;
    }
    OperationCost evaluate(const Attention& op) const {
        // Decode attention with grouped queries reads K and V once per group (flash-decoding).
        const double busy = attention_efficiency(machine_, op.requests, op.kv_heads, op.tokens);
        OperationCost cost =
            roofline_.cost(attention_kv_bytes(op) / busy, attention_flops(op) / busy);
        cost.bytes = attention_kv_bytes(op);
        cost.flops = attention_flops(op);
        roofline_.charge(cost);
        return cost;
    }
    OperationCost evaluate(const PromptAttention& op) const {
        // Queries, keys, values and outputs cross the HBM once, as FP16: tiles of queries that run
        // at the same time share keys and values in the L2.
        const double bytes =
            op.tokens * 2.0 * (op.query_heads + op.kv_heads) * op.head_dim * half_bytes;
        const double busy = prompt_efficiency(machine_, op.query_heads, op.tokens);
        OperationCost cost = prompt_.cost(bytes, prompt_attention_flops(op) / busy);
        cost.flops = prompt_attention_flops(op);
        prompt_.charge(cost);
        return cost;
    }
    OperationCost evaluate(const DigestScan& op) const {
        // Two products, one maximum and one addition per channel and query head.
        return roofline_.cost(digest_bytes(op), op.pages * 4.0 * op.query_heads * op.head_dim);
    }
    OperationCost evaluate(const TopK& op) const {
        // A radix select reads the scores a few times; they are bytes against the KV's megabytes.
        constexpr double passes = 4.0;
        constexpr double score_bytes = 4.0;
        return roofline_.cost(passes * score_bytes * op.scores, op.scores);
    }
    OperationCost evaluate(const KvAppend& op) const {
        return roofline_.cost(op.kv_bytes + op.digest_read_bytes + op.digest_write_bytes, 0.0);
    }
    OperationCost evaluate(const VectorOp& op) const { return roofline_.cost(op.bytes, op.flops); }

    std::string name_;
    Roofline roofline_;
    Roofline prompt_;  // at the rate of attention within a prompt
    Machine machine_;
};

}  // namespace

std::unique_ptr<Device> make_gpu_roofline(ConstantReader& constants) {
    const auto read = [&](std::string_view key) { return constants.value("gpu", key); };
    Roofline roofline;
    roofline.bytes_per_s = read("memory_bandwidth") * read("memory_efficiency");
    roofline.flop_per_s = read("peak_fp16") * read("compute_efficiency");
    roofline.latency_s = read("kernel_latency");
    roofline.active_power_w = read("busy_power");
    roofline.limit_power_w = read("active_power");
    roofline.idle_power_w = read("idle_power");
    roofline.joules_per_byte = read("memory_energy");
    roofline.joules_per_flop = read("compute_energy");
    const Machine machine{read("multiprocessors"), read("gemm_tile"), read("mma_columns"),
                          read("kv_chunk")};
    return std::make_unique<GpuRoofline>(constants.system().at("gpu").name, roofline,
                                         read("peak_fp16") * read("prefill_efficiency"), machine);
}

double usable_bytes(ConstantReader& constants) {
    return constants.value("gpu", "memory_capacity") *
           (1.0 - constants.value("gpu", "memory_reserved"));
}

}  // namespace memside::gpu
