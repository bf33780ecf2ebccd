// Norms, rotation, gates and additions: what the hub's extra processing unit does.
#include "compiler/passes/lowering.h"
#include "compiler/plan/gemv_plan.h"

namespace memside::compiler {
namespace {

using pim::HubInstruction;
using pim::HubOp;

mlir::LogicalResult lower_pair(mlir::Operation* op, HubInstruction hub, llvm::StringRef what,
                               Lowering& lowering) {
    hub.gpr = first_register(op->getOperand(0));
    hub.gpr2 = first_register(op->getOperand(1));
    hub.gpr_out = first_register(op->getResult(0));
    hub.tiles = tiles_of(op->getResult(0));
    PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op), what);
    writer.add(hub);
    return mlir::success();
}

}  // namespace

mlir::LogicalResult lower(decode::RmsNormOp op, Lowering& lowering) {
    const auto name = lowering.weight_name(op, op.getWeight());
    if (!name) return mlir::failure();
    const auto region = static_cast<std::uint32_t>(lowering.region(*name, 1));
    const std::uint32_t weight = scratch_of(op).first;
    const unsigned channels = lowering.options().channels;
    const std::uint32_t tiles = tiles_of(op.getWeight());
    if (tiles > most_vector_tiles(channels)) {
        return op.emitOpError() << "has " << tiles << " tiles of weights; a row of one bank of "
                                << channels << " channels has " << most_vector_tiles(channels);
    }
    HubInstruction hub;
    hub.op = HubOp::rms_norm;
    hub.gpr = first_register(op.getX());
    hub.gpr2 = weight;
    hub.gpr_out = first_register(op.getResult());
    hub.values = static_cast<std::uint32_t>(decode::values_per_request(op.getWeight().getType()));
    hub.rows =
        static_cast<std::uint32_t>(decode::values_per_request(op.getX().getType())) / hub.values;
    hub.scale = op.getEps().convertToFloat();
    PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()), *name);
    write_vector_load(VectorSlot::at(0), tiles, weight, channels, region, writer);
    writer.add(hub);
    return mlir::success();
}

mlir::LogicalResult lower(decode::RopeOp op, Lowering& lowering) {
    const mlir::Type type = op.getX().getType();
    HubInstruction hub;
    if (op.getDivisors()) {
        const auto table = lowering.table(op, op.getDivisors());
        if (!table) return mlir::failure();
        hub.table = *table;
    }
    hub.op = HubOp::rope;
    hub.gpr = first_register(op.getResult());
    hub.heads = static_cast<std::uint32_t>(decode::extent(type, decode::Axis::head).value_or(1));
    hub.head_dim =
        static_cast<std::uint32_t>(decode::extent(type, decode::Axis::channel).value_or(0));
    hub.choice = static_cast<std::uint32_t>(
        op.getStyle() == decode::RopeStyle::neox ? pim::RopeStyle::neox : pim::RopeStyle::adjacent);
    hub.scale = op.getScale().convertToFloat();
    hub.theta = op.getTheta().convertToFloat();
    PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()), "rope");
    if (const std::uint32_t from = first_register(op.getX()); from != hub.gpr) {
        HubInstruction copy;
        copy.op = HubOp::copy;
        copy.gpr = from;
        copy.gpr_out = hub.gpr;
        copy.tiles = tiles_of(op.getX());
        writer.add(copy);
    }
    writer.add(hub);
    return mlir::success();
}

mlir::LogicalResult lower(decode::GateOp op, Lowering& lowering) {
    HubInstruction hub;
    hub.op = HubOp::gate;
    hub.choice = static_cast<std::uint32_t>(op.getFunction() == decode::GateFunction::silu
                                                ? pim::GateFunction::silu
                                                : pim::GateFunction::gelu_tanh);
    return lower_pair(op, hub, "gate", lowering);
}

mlir::LogicalResult lower(decode::AddOp op, Lowering& lowering) {
    HubInstruction hub;
    hub.op = HubOp::add;
    return lower_pair(op, hub, "add", lowering);
}

}  // namespace memside::compiler
