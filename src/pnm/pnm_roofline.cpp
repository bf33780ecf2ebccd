#include "pnm/pnm_roofline.h"

#include <algorithm>
#include <cmath>

#include "system/roofline.h"

namespace memside::pnm {
namespace {

class PnmRoofline final : public Device {
  public:
    PnmRoofline(std::string name, const Roofline& roofline, double sorted_scores_per_s,
                double platform_power_w)
        : name_(std::move(name)),
          roofline_(roofline),
          sorted_scores_per_s_(sorted_scores_per_s),
          platform_power_w_(platform_power_w) {}

    Result<OperationCost> cost(const Operation& operation) const override {
        return std::visit([this](const auto& op) { return evaluate(op); }, operation);
    }
    double idle_power_w() const override { return roofline_.idle_power_w; }
    double peak_power_w() const override { return platform_power_w_; }
    const std::string& name() const override { return name_; }

  private:
    Result<OperationCost> evaluate(const Attention& op) const {
        return roofline_.cost(attention_kv_bytes(op), attention_flops(op));
    }
    Result<OperationCost> evaluate(const DigestScan& op) const {
        // The multipliers bound the tiles: q x min and q x max for every channel of every query
        // head. Two multiplications are four FLOP of a rate that counts multiply and add.
        const double flops = op.pages * 4.0 * op.query_heads * op.head_dim;
        return roofline_.cost(digest_bytes(op), flops);
    }
    Result<OperationCost> evaluate(const TopK& op) const {
        // A merge sort of n scores makes ceil(log2 n) passes at the sorter's width; the scores stay
        // in the device's buffers.
        const double passes = op.scores > 1.0 ? std::ceil(std::log2(op.scores)) : 1.0;
        OperationCost result = roofline_.cost(0.0, 0.0);
        const double sort_s = op.scores * passes / sorted_scores_per_s_;
        result.time_s += sort_s;
        roofline_.charge(result);
        result.bound = sort_s > roofline_.latency_s ? Bound::compute : Bound::latency;
        return result;
    }
    Result<OperationCost> evaluate(const KvAppend& op) const {
        return roofline_.cost(op.kv_bytes + op.digest_read_bytes + op.digest_write_bytes, 0.0);
    }
    Result<OperationCost> evaluate(const PromptAttention& op) const {
        return no_unit_for(name_, op);
    }
    Result<OperationCost> evaluate(const Gemm& op) const { return no_unit_for(name_, op); }
    Result<OperationCost> evaluate(const VectorOp& op) const { return no_unit_for(name_, op); }

    std::string name_;
    Roofline roofline_;
    double sorted_scores_per_s_;
    double platform_power_w_;
};

}  // namespace

Error no_unit_for(const std::string& device, const Operation& operation) {
    return bad_input(device, "has no unit for " + operation_name(operation) +
                                 "; it appends, scores, sorts and attends");
}

std::unique_ptr<Device> make_pnm_roofline(ConstantReader& constants) {
    const auto read = [&](std::string_view key) { return constants.value("pnm", key); };
    const double clock_hz = read("clock");
    Roofline roofline;
    roofline.bytes_per_s = read("memory_bandwidth") * read("memory_efficiency");
    // Multiply and add together count as two FLOP per multiplier and cycle.
    roofline.flop_per_s = 2.0 * read("multipliers") * clock_hz * read("compute_efficiency");
    roofline.latency_s = read("kernel_latency");
    roofline.active_power_w = read("platform_power");  // controller, DRAM and the rest
    roofline.idle_power_w = read("idle_power");
    return std::make_unique<PnmRoofline>(constants.system().at("pnm").name, roofline,
                                         read("sort_width") * clock_hz, read("platform_power"));
}

}  // namespace memside::pnm
