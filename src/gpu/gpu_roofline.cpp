#include "gpu/gpu_roofline.h"

#include "gpu/shape_efficiency.h"
#include "system/roofline.h"

namespace memside::gpu {
namespace {

class GpuRoofline final : public Device {
  public:
    GpuRoofline(std::string name, const Roofline& roofline, const Machine& machine)
        : name_(std::move(name)), roofline_(roofline), machine_(machine) {}

    Result<OperationCost> cost(const Operation& operation) const override {
        return std::visit([this](const auto& op) { return Result<OperationCost>(evaluate(op)); },
                          operation);
    }
    double idle_power_w() const override { return roofline_.idle_power_w; }
    double peak_power_w() const override { return roofline_.active_power_w; }
    const std::string& name() const override { return name_; }

  private:
    OperationCost evaluate(const Gemm& op) const {
        const double flops = 2.0 * op.m * op.n * op.k;
        OperationCost cost = roofline_.cost(op.weight_bytes + op.activation_bytes,
                                            flops / gemm_efficiency(machine_, op.m, op.n));
        cost.flops = flops;  // the useful ones
        return cost;
    }
    OperationCost evaluate(const Attention& op) const {
        // Decode attention with grouped queries reads K and V once per group (flash-decoding).
        const double busy = attention_efficiency(machine_, op.requests, op.kv_heads, op.tokens);
        OperationCost cost =
            roofline_.cost(attention_kv_bytes(op) / busy, attention_flops(op) / busy);
        cost.bytes = attention_kv_bytes(op);
        cost.flops = attention_flops(op);
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
    Machine machine_;
};

}  // namespace

std::unique_ptr<Device> make_gpu_roofline(ConstantReader& constants) {
    const auto read = [&](std::string_view key) { return constants.value("gpu", key); };
    Roofline roofline;
    roofline.bytes_per_s = read("memory_bandwidth") * read("memory_efficiency");
    roofline.flop_per_s = read("peak_fp16") * read("compute_efficiency");
    roofline.latency_s = read("kernel_latency");
    roofline.active_power_w = read("active_power");
    roofline.idle_power_w = read("idle_power");
    const Machine machine{read("multiprocessors"), read("gemm_tile"), read("mma_columns"),
                          read("kv_chunk")};
    return std::make_unique<GpuRoofline>(constants.system().at("gpu").name, roofline, machine);
}

double usable_bytes(ConstantReader& constants) {
    return constants.value("gpu", "memory_capacity") *
           (1.0 - constants.value("gpu", "memory_reserved"));
}

}  // namespace memside::gpu
