// decode.linear as instructions.
#include "compiler/passes/lowering.h"
#include "compiler/plan/gemv_plan.h"

namespace memside::compiler {

mlir::LogicalResult lower(decode::LinearOp op, Lowering& lowering) {
    const auto name = lowering.weight_name(op, op.getWeight());
    if (!name) return mlir::failure();
    const auto shape = mlir::cast<mlir::RankedTensorType>(op.getWeight().getType()).getShape();
    const AttentionOptions& options = lowering.options();
    const std::uint32_t y = first_register(op.getResult());
    const auto plan =
        plan_gemv({static_cast<std::uint32_t>(shape[0]), static_cast<std::uint32_t>(shape[1])},
                  options.channels,
                  {.layout = {},
                   .accumulators = options.accumulators,
                   .zero_gpr = lowering.zero_gpr(),
                   .x_gpr = first_register(op.getX()),
                   .y_gpr = y});
    if (!plan) return op.emitOpError() << plan.error().message();
    const auto region = static_cast<std::uint32_t>(lowering.region(*name, plan->weight_rows()));
    std::uint32_t bias_region = 0;
    if (op.getBias()) {
        const auto bias = lowering.weight_name(op, op.getBias());
        if (!bias) return mlir::failure();
        bias_region = static_cast<std::uint32_t>(lowering.region(*bias, 1));
    }
    auto step = mlir::cast<decode::StepOp>(op.getOperation());
    PimWriter writer = lowering.entry(step, *name);
    write_gemv(*plan, region, writer);
    for (mlir::Operation* user : op->getUsers()) {
        auto sum = mlir::dyn_cast<decode::AllReduceOp>(user);
        if (!sum) continue;
        lowering.exchange(y, tiles_of(op.getResult()), first_register(sum.getResult()),
                          static_cast<std::uint32_t>(step.getModulesAttr().size()));
    }
    if (!op.getBias()) return mlir::success();
    const std::uint32_t tiles = tiles_of(op.getBias());
    const RegisterRange scratch = scratch_of(op);
    write_vector_load(VectorSlot::at(0), tiles, scratch.first, options.channels, bias_region,
                      writer);
    pim::HubInstruction add;
    add.op = pim::HubOp::add;
    add.gpr = y;
    add.gpr2 = scratch.first;
    add.gpr_out = y;
    add.tiles = tiles;
    writer.add(add);
    return mlir::success();
}

}  // namespace memside::compiler
