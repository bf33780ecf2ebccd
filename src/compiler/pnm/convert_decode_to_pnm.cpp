// convert-decode-to-pnm: the part of a decode step that the CXL-PNM device executes.
#include <llvm/ADT/TypeSwitch.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>

#include "compiler/decode/decode.h"
#include "compiler/pnm/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_CONVERTDECODETOPNM
#include <compiler/pnm/Passes.h.inc>

namespace {

using decode::Axis;

std::int64_t size(mlir::Value value, Axis axis) {
    return *decode::extent(value.getType(), axis);
}

class Conversion {
  public:
    Conversion(mlir::func::FuncOp function, std::int64_t page_tokens)
        : function_(function), page_tokens_(page_tokens), builder_(function) {}

    mlir::LogicalResult run() {
        function_.walk([&](decode::DigestOp op) { digest_ = op; });
        if (digest_) page_tokens_ = digest_.getPageTokens();
        const auto model = function_->getAttrOfType<mlir::StringAttr>("decode.model");
        mlir::OperationState state(function_.getLoc(), pnmir::ProgramOp::getOperationName());
        state.addAttribute("sym_name", function_.getSymNameAttr());
        state.addAttribute("model", model ? model : function_.getSymNameAttr());
        state.addAttribute("page_tokens", builder_.getI64IntegerAttr(page_tokens_));
        state.addRegion()->emplaceBlock();
        auto program = mlir::cast<pnmir::ProgramOp>(builder_.create(state));
        builder_.setInsertionPointToStart(&program.getBody().front());
        for (mlir::Operation& op : function_.front()) {
            if (mlir::failed(add(&op))) return mlir::failure();
        }
        function_.erase();
        return mlir::success();
    }

  private:
    mlir::LogicalResult add(mlir::Operation* op) {
        return llvm::TypeSwitch<mlir::Operation*, mlir::LogicalResult>(op)
            .Case<decode::AppendOp>([&](auto append) {
                // Key and value are one kernel.
                const decode::CacheType cache = append.getCache().getType();
                if (cache.getKind() == decode::CacheKind::value) return mlir::success();
                builder_.create<pnmir::AppendOp>(op->getLoc(), cache.getKvHeads(),
                                                 cache.getHeadDim(), 16, digest_ != nullptr);
                return mlir::success();
            })
            .Case<decode::ScorePagesOp>([&](auto score) {
                builder_.create<pnmir::ScoreOp>(op->getLoc(), size(score.getQuery(), Axis::head),
                                                size(score.getFirst(), Axis::head),
                                                size(score.getFirst(), Axis::channel), 16);
                return mlir::success();
            })
            .Case<decode::TopKOp>([&](auto top) {
                builder_.create<pnmir::TopKOp>(op->getLoc(), top.getK(),
                                               size(top.getScores(), Axis::head));
                return mlir::success();
            })
            .Case<decode::AttentionOp>([&](auto attention) { return add_attention(attention); })
            .Case<decode::QkOp, decode::SoftmaxOp, decode::SvOp>([](mlir::Operation* part) {
                return part->emitOpError(
                    "is no kernel of the CXL-PNM device by itself, which has decode.attention");
            })
            .Default([](mlir::Operation*) { return mlir::success(); });
    }

    mlir::LogicalResult add_attention(decode::AttentionOp op) {
        mlir::IntegerAttr pages;
        if (op.getPages()) {
            if (*op.getPageTokens() != page_tokens_) {
                return op.emitOpError() << "selects pages of " << *op.getPageTokens()
                                        << " tokens, but the device's have " << page_tokens_;
            }
            pages = builder_.getI64IntegerAttr(size(op.getPages(), Axis::page));
        }
        const decode::CacheType cache = op.getKeys().getType();
        builder_.create<pnmir::AttentionOp>(
            op.getLoc(), builder_.getI64IntegerAttr(size(op.getQuery(), Axis::head)),
            builder_.getI64IntegerAttr(cache.getKvHeads()),
            builder_.getI64IntegerAttr(cache.getHeadDim()), builder_.getI64IntegerAttr(16),
            builder_.getI64IntegerAttr(op.getWindow()), pages);
        return mlir::success();
    }

    mlir::func::FuncOp function_;
    std::int64_t page_tokens_;
    mlir::OpBuilder builder_;
    decode::DigestOp digest_;
};

class ConvertDecodeToPnmPass : public impl::ConvertDecodeToPnmBase<ConvertDecodeToPnmPass> {
  public:
    using ConvertDecodeToPnmBase::ConvertDecodeToPnmBase;

    void runOnOperation() override {
        for (auto function :
             llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>())) {
            if (mlir::failed(Conversion(function, page_tokens).run())) return signalPassFailure();
        }
    }
};

}  // namespace
}  // namespace memside::compiler
