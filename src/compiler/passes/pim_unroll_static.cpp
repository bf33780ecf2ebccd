// pim-unroll-static: a program for one context, without loops.
#include "compiler/passes/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_PIMUNROLLSTATIC
#include <compiler/passes/Passes.h.inc>

namespace {

using mlir::Operation;
using mlir::Value;

struct Piece {
    std::uint64_t first = 0;
    std::uint64_t tokens = 0;
};

class Unroller {
  public:
    Unroller(pimir::EntryOp entry, std::uint64_t context)
        : entry_(entry), context_(context), builder_(entry.getContext()) {}

    mlir::LogicalResult run() {
        mlir::Block& old = entry_.getBody().front();
        made_ = new mlir::Block();
        entry_.getBody().push_back(made_);
        builder_.setInsertionPointToEnd(made_);
        const mlir::LogicalResult done = expand(old, {0, context_});
        old.erase();
        return done;
    }

  private:
    mlir::LogicalResult expand(mlir::Block& block, const Piece& piece) {
        for (Operation& op : block) {
            if (mlir::isa<pimir::DynModiOp, mlir::arith::ConstantOp>(op)) continue;
            if (auto loop = mlir::dyn_cast<pimir::LoopOp>(op)) {
                for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(loop.getCount()); ++i) {
                    iteration_[loop.getIteration()] = i;
                    if (failed(expand(loop.getBody().front(), piece))) return mlir::failure();
                }
            } else if (auto tokens = mlir::dyn_cast<pimir::DynLoopOp>(op)) {
                const auto span = static_cast<std::uint64_t>(tokens.getSpan());
                for (std::uint64_t i = 0; i * span < piece.tokens; ++i) {
                    iteration_[tokens.getIteration()] = i;
                    const Piece inner{piece.first + i * span,
                                      std::min(span, piece.tokens - i * span)};
                    if (failed(expand(tokens.getBody().front(), inner))) return mlir::failure();
                }
            } else if (failed(copy(&op, piece))) {
                return mlir::failure();
            }
        }
        return mlir::success();
    }

    mlir::LogicalResult copy(Operation* op, const Piece& piece) {
        llvm::SmallVector<Value> operands;
        for (const Value value : op->getOperands()) {
            const auto made = fixed(op, value);
            if (!made) return mlir::failure();
            operands.push_back(constant(op->getLoc(), *made));
        }
        Operation* made = builder_.insert(op->cloneWithoutRegions());
        made->setOperands(operands);
        if (auto aim = mlir::dyn_cast<pimir::AimOp>(made)) {
            if (const std::uint32_t span = pimir::opsize_span_of(aim); span != 0) {
                const std::uint64_t opsize = (piece.tokens + span - 1) / span;
                made->removeAttr("opsize_span");
                made->setAttr("opsize",
                              builder_.getI64IntegerAttr(static_cast<std::int64_t>(opsize)));
            }
        }
        if (mlir::isa<pimir::HubSoftmaxBlockOp>(made)) {
            const auto number = [&](std::uint64_t value) {
                return builder_.getI64IntegerAttr(static_cast<std::int64_t>(value));
            };
            made->setAttr("first_token", number(piece.first));
            made->setAttr("tokens", number(piece.tokens));
        }
        return mlir::success();
    }

    // The operand in this iteration; a row of a region, from the region's first row on.
    std::optional<std::int64_t> fixed(Operation* op, Value value) {
        const auto operand = pimir::moved(value);
        if (!operand) return std::nullopt;
        std::int64_t result = operand->base;
        for (const pimir::Moved::Step& step : operand->steps) {
            result += step.step * static_cast<std::int64_t>(iteration_.lookup(step.iteration));
        }
        if (!operand->region) return result;
        const auto found = first_rows_.find(operand->region);
        if (found != first_rows_.end()) return result + found->second;
        auto region = mlir::SymbolTable::lookupNearestSymbolFrom<pimir::RegionOp>(
            entry_->getParentOp(), operand->region);
        if (!region || region.getPerRequest() || !region.getFirstRow()) {
            op->emitOpError() << "names rows of " << operand->region
                              << ", which have no static address: run "
                                 "pim-assign-addresses{access=static} before";
            return std::nullopt;
        }
        const auto first = static_cast<std::int64_t>(*region.getFirstRow());
        first_rows_[operand->region] = first;
        return result + first;
    }

    Value constant(mlir::Location location, std::int64_t value) {
        Value& known = constants_[value];
        if (known) return known;
        mlir::OpBuilder::InsertionGuard guard(builder_);
        builder_.setInsertionPointToStart(made_);
        known = builder_.create<mlir::arith::ConstantIndexOp>(location, value);
        return known;
    }

    pimir::EntryOp entry_;
    std::uint64_t context_;
    mlir::OpBuilder builder_;
    mlir::Block* made_ = nullptr;
    llvm::DenseMap<Value, std::uint64_t> iteration_;
    llvm::DenseMap<mlir::Attribute, std::int64_t> first_rows_;
    llvm::DenseMap<std::int64_t, Value> constants_;
};

class PimUnrollStaticPass : public impl::PimUnrollStaticBase<PimUnrollStaticPass> {
  public:
    using PimUnrollStaticBase::PimUnrollStaticBase;

    void runOnOperation() override {
        pimir::ProgramOp program = getOperation();
        if (context == 0) {
            program.emitError("unrolling needs a context of 1 token or more");
            return signalPassFailure();
        }
        if (program.getMaxTokens() != 0 &&
            context > static_cast<std::uint64_t>(program.getMaxTokens())) {
            program.emitError() << "context " << context << " is above the "
                                << program.getMaxTokens() << " tokens that have addresses";
            return signalPassFailure();
        }
        for (auto entry : program.getOps<pimir::EntryOp>()) {
            if (failed(Unroller(entry, context).run())) return signalPassFailure();
        }
        program.setMaxTokens(static_cast<std::int64_t>(context.getValue()));
        program.setBlockTokens(0);
    }
};

}  // namespace
}  // namespace memside::compiler
