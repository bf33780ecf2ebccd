#include "pnm/pnm_device.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "pnm/memo.h"
#include "pnm/operation_table.h"
#include "pnm/pnm_roofline.h"

namespace memside::pnm {
namespace {

// An operation's kind and numbers.
using ShapeKey = std::array<double, 8>;

struct ShapeHash {
    std::size_t operator()(const ShapeKey& key) const {
        std::uint64_t hash = 0;
        for (const double value : key) {
            hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15U;
            hash ^= hash >> 32;
        }
        return static_cast<std::size_t>(hash);
    }
};

struct Keys {
    ShapeKey operator()(const Attention& op) const {
        return {0,           op.requests, op.query_heads, op.kv_heads,
                op.head_dim, op.tokens,   op.kv_bits,     op.page_tokens};
    }
    ShapeKey operator()(const DigestScan& op) const {
        return {1, op.pages, op.query_heads, op.kv_heads, op.head_dim, op.digest_bits};
    }
    ShapeKey operator()(const TopK& op) const { return {2, op.scores, op.k}; }
    ShapeKey operator()(const KvAppend& op) const {
        return {3, op.kv_bytes, op.digest_read_bytes, op.digest_write_bytes, op.requests};
    }
    ShapeKey operator()(const Gemm&) const { return {4}; }
    ShapeKey operator()(const VectorOp&) const { return {5}; }
    ShapeKey operator()(const PromptAttention&) const { return {6}; }
};

struct Lowering {
    const PnmSpec& spec;
    const Operation& operation;

    template <typename Op>
    Result<Program> operator()(const Op& op) const {
        return lower(op, spec);
    }
    Result<Program> operator()(const Gemm&) const { return no_unit_for(spec.name, operation); }
    Result<Program> operator()(const VectorOp&) const { return no_unit_for(spec.name, operation); }
    Result<Program> operator()(const PromptAttention&) const {
        return no_unit_for(spec.name, operation);
    }
};

Bound bound_of(const KernelTime& time) {
    if (time.start_s + time.fill_s > time.busy_s[index(time.busiest)]) return Bound::latency;
    return time.busiest == Unit::dram ? Bound::memory : Bound::compute;
}

class PnmDevice final : public Device {
  public:
    PnmDevice(PnmSpec spec, std::shared_ptr<const DramStreams> dram)
        : spec_(std::move(spec)), dram_(std::move(dram)) {
        // Idle power is that of the board, of the DRAM at rest, and what leaks in the controller;
        // a kernel adds the rest of the controller's power, and DRAM commands.
        const double board_w =
            std::max(0.0, spec_.platform_power_w - spec_.controller_power_w - spec_.dram_power_w);
        const double leaks_w =
            std::max(0.0, spec_.idle_power_w - board_w - dram_->standby_power_w());
        controller_above_idle_w_ = std::max(0.0, spec_.controller_power_w - leaks_w);
    }

    Result<OperationCost> cost(const Operation& operation) const override {
        const ShapeKey key = std::visit(Keys{}, operation);
        assert(std::all_of(key.begin(), key.end(),
                           [](double value) { return std::isfinite(value) && value >= 0.0; }));
        return costs_.get(key, [&] { return simulate(operation); });
    }
    double idle_power_w() const override { return spec_.idle_power_w; }
    double peak_power_w() const override { return spec_.platform_power_w; }
    const std::string& name() const override { return spec_.name; }

  private:
    Result<OperationCost> simulate(const Operation& operation) const {
        MEMSIDE_TRY(const Program program, std::visit(Lowering{spec_, operation}, operation));
        const KernelTime time = run(program, spec_, *dram_);
        OperationCost cost;
        cost.time_s = time.time_s;
        cost.energy_j = controller_above_idle_w_ * time.time_s + time.dram_command_energy_j;
        cost.access_j = time.dram_command_energy_j;
        cost.bytes = program.bytes;
        cost.flops = program.flops;
        cost.bound = bound_of(time);
        return cost;
    }

    PnmSpec spec_;
    std::shared_ptr<const DramStreams> dram_;
    double controller_above_idle_w_ = 0;
    Memo<ShapeKey, Result<OperationCost>, ShapeHash> costs_;
};

void note_dram(ConstantReader& constants, const dram::Spec& spec) {
    for (const dram::SourcedConstant& read : spec.constants) {
        Constant constant;
        constant.path = "pnm.dram." + read.path;
        constant.text = read.text;
        constant.source = read.source;
        constant.where = read.where;
        constants.note(constant);
    }
}

}  // namespace

Result<KernelTime> kernel_time(const Operation& operation, const PnmSpec& spec,
                               const DramStreams& dram) {
    MEMSIDE_TRY(const Program program, std::visit(Lowering{spec, operation}, operation));
    return run(program, spec, dram);
}

Result<std::unique_ptr<Device>> make_pnm_device(ConstantReader& constants) {
    MEMSIDE_TRY(PnmSpec spec, read_pnm_spec(constants));
    MEMSIDE_TRY(std::shared_ptr<const DramStreams> dram,
                DramStreams::shared(pnm_dram, spec.dram_channels));
    note_dram(constants, dram->spec());
    return std::unique_ptr<Device>(std::make_unique<PnmDevice>(std::move(spec), std::move(dram)));
}

Result<std::unique_ptr<Device>> make_device(ConstantReader& constants) {
    if (constants.flag("pnm", "cycle_level")) return make_pnm_device(constants);
    return make_pnm_roofline(constants);
}

}  // namespace memside::pnm
