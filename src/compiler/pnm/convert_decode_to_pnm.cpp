// convert-decode-to-pnm: the part of a decode step that the CXL-PNM device executes.
#include <llvm/ADT/TypeSwitch.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>

#include "compiler/pnm/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_CONVERTDECODETOPNM
#include <compiler/pnm/Passes.h.inc>

namespace {

using decode::Axis;
using mlir::ShapedType;

std::int64_t size(mlir::Value value, Axis axis) {
    return *decode::extent(value.getType(), axis);
}

// What a number of a pass's options means.
std::int64_t known(std::int64_t option) {
    return option == 0 ? ShapedType::kDynamic : option;
}

// Sizes of what is stored, which types of `decode` do not say.
struct Format {
    std::int64_t page_tokens = 0;
    std::int64_t kv_bits = 0;
    std::int64_t digest_bits = 0;
};

class Conversion {
  public:
    Conversion(mlir::func::FuncOp function, const Format& format)
        : function_(function), format_(format), builder_(function) {}

    mlir::LogicalResult run() {
        function_.walk([&](decode::DigestOp op) { digest_ = op; });
        if (digest_) {
            format_.page_tokens = digest_.getPageTokens().value_or(ShapedType::kDynamic);
        }
        const auto model = function_->getAttrOfType<mlir::StringAttr>("decode.model");
        mlir::OperationState state(function_.getLoc(), pnmir::ProgramOp::getOperationName());
        state.addAttribute("sym_name", function_.getSymNameAttr());
        state.addAttribute("model", model ? model : function_.getSymNameAttr());
        state.addAttribute("page_tokens", number(format_.page_tokens));
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
    mlir::IntegerAttr number(std::int64_t value) { return builder_.getI64IntegerAttr(value); }

    mlir::LogicalResult add(mlir::Operation* op) {
        return llvm::TypeSwitch<mlir::Operation*, mlir::LogicalResult>(op)
            .Case([&](decode::AppendOp append) { return add_append(append); })
            .Case([&](decode::ScorePagesOp score) { return add_score(score); })
            .Case([&](decode::TopKOp top) {
                builder_.create<pnmir::TopKOp>(op->getLoc(),
                                               top.getK().value_or(ShapedType::kDynamic));
                return mlir::success();
            })
            .Case([&](decode::AttentionOp attention) { return add_attention(attention); })
            .Case<decode::QkOp, decode::SoftmaxOp, decode::SvOp>([](mlir::Operation* part) {
                return part->emitOpError(
                    "is no kernel of the CXL-PNM device by itself, which has decode.attention");
            })
            .Default([](mlir::Operation*) { return mlir::success(); });
    }

    // Key and value are one kernel.
    mlir::LogicalResult add_append(decode::AppendOp op) {
        const decode::CacheType cache = op.getCache().getType();
        if (cache.getKind() == decode::CacheKind::value) return mlir::success();
        builder_.create<pnmir::AppendOp>(
            op.getLoc(), number(cache.getKvHeads()), number(cache.getHeadDim()),
            number(format_.kv_bits), digest_ ? number(format_.digest_bits) : mlir::IntegerAttr());
        return mlir::success();
    }

    mlir::LogicalResult add_score(decode::ScorePagesOp op) {
        if (decode::extent(op.getType(), Axis::head)) {
            return op.emitOpError(
                "scores pages for each KV head; the CXL-PNM device has one score of a page for all "
                "of them: let the result have the axes [page]");
        }
        builder_.create<pnmir::ScoreOp>(op.getLoc(), size(op.getQuery(), Axis::head),
                                        size(op.getFirst(), Axis::head),
                                        size(op.getFirst(), Axis::channel), format_.digest_bits);
        return mlir::success();
    }

    mlir::LogicalResult add_attention(decode::AttentionOp op) {
        mlir::IntegerAttr pages;
        if (op.getPages()) {
            const std::int64_t tokens = op.getPageTokens().value_or(ShapedType::kDynamic);
            if (tokens != format_.page_tokens) {
                const auto text = [](std::int64_t of) {
                    return ShapedType::isDynamic(of) ? "?" : std::to_string(of);
                };
                return op.emitOpError()
                       << "selects pages of " << text(tokens) << " tokens, but the device's have "
                       << text(format_.page_tokens);
            }
            pages = number(size(op.getPages(), Axis::page));
        }
        const decode::CacheType cache = op.getKeys().getType();
        builder_.create<pnmir::AttentionOp>(op.getLoc(), number(size(op.getQuery(), Axis::head)),
                                            number(cache.getKvHeads()), number(cache.getHeadDim()),
                                            number(format_.kv_bits), pages, number(op.getWindow()));
        return mlir::success();
    }

    mlir::func::FuncOp function_;
    Format format_;
    mlir::OpBuilder builder_;
    decode::DigestOp digest_;
};

class ConvertDecodeToPnmPass : public impl::ConvertDecodeToPnmBase<ConvertDecodeToPnmPass> {
  public:
    using ConvertDecodeToPnmBase::ConvertDecodeToPnmBase;

    void runOnOperation() override {
        const Format format{known(page_tokens), known(kv_bits), known(digest_bits)};
        for (auto function :
             llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>())) {
            if (mlir::failed(Conversion(function, format).run())) return signalPassFailure();
        }
    }
};

}  // namespace
}  // namespace memside::compiler
