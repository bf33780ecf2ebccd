// convert-decode-to-pim: a function becomes a program, an operation an entry.
#include <llvm/ADT/TypeSwitch.h>

#include "compiler/passes/lowering.h"
#include "compiler/passes/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_CONVERTDECODETOPIM
#include <compiler/passes/Passes.h.inc>

namespace {

// The tile of zeros that accumulators start from.
void write_zeros(pimir::ProgramOp program, Lowering& lowering, mlir::Location location) {
    mlir::OpBuilder builder(program.getContext());
    builder.setInsertionPointToEnd(&program.getBody().front());
    auto entry =
        builder.create<pimir::EntryOp>(location, "zeros", decode::OpType::other,
                                       decode::Partitioning::copy, decode::Communication::none);
    entry.setModule(lowering.first_module());
    PimWriter writer(entry, {}, location);
    pim::HubInstruction fill;
    fill.op = pim::HubOp::fill;
    fill.gpr_out = lowering.zero_gpr();
    fill.tiles = 1;
    fill.scale = 0;
    writer.add(fill);
}

mlir::LogicalResult convert(mlir::func::FuncOp function) {
    const auto options = target_of(function);
    if (!options) return mlir::failure();
    mlir::OpBuilder builder(function);
    const auto model = function->getAttrOfType<mlir::StringAttr>("decode.model");
    auto program = builder.create<pimir::ProgramOp>(
        function.getLoc(), function.getSymName(), model ? model.getValue() : function.getSymName(),
        options->partition == HeadPartition::tcp ? "aim tcp" : "aim hfp");
    Lowering lowering(function, *options, program);
    lowering.receive();
    write_zeros(program, lowering, function.getLoc());
    for (mlir::Operation& op : function.front().without_terminator()) {
        const mlir::LogicalResult made =
            llvm::TypeSwitch<mlir::Operation*, mlir::LogicalResult>(&op)
                .Case<decode::AttentionOp, decode::QkOp, decode::SvOp, decode::AppendOp,
                      decode::LinearOp, decode::RmsNormOp, decode::RopeOp, decode::GateOp,
                      decode::AddOp>([&](auto known) { return lower(known, lowering); })
                // Weights are regions of their readers; a linear layer's entry has the sum of
                // parts.
                .Case<decode::WeightOp, decode::AllReduceOp>(
                    [](mlir::Operation*) { return mlir::success(); })
                .Default([](mlir::Operation* other) {
                    return other->emitOpError("is not compiled for DRAM-PIM; target pnm has it");
                });
        if (failed(made)) return mlir::failure();
    }
    lowering.send();
    lowering.finish();
    function.erase();
    return mlir::success();
}

class ConvertDecodeToPimPass : public impl::ConvertDecodeToPimBase<ConvertDecodeToPimPass> {
  public:
    using ConvertDecodeToPimBase::ConvertDecodeToPimBase;

    void runOnOperation() override {
        for (auto function :
             llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>())) {
            if (failed(convert(function))) return signalPassFailure();
        }
    }
};

}  // namespace
}  // namespace memside::compiler
