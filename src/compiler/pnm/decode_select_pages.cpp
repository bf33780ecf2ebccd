// decode-select-pages: a layer that selects pages, beside the layer that attends to all tokens.
#include <mlir/Dialect/Func/IR/FuncOps.h>

#include "compiler/pnm/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_DECODESELECTPAGES
#include <compiler/pnm/Passes.h.inc>

namespace {

using decode::Axis;
using mlir::ShapedType;
using mlir::Value;

bool attends_to_all(decode::AttentionOp op) {
    return !op.getPages() && op.getWindow() == 0;
}

class Selection {
  public:
    // 0: known when the step runs.
    Selection(std::int64_t page_tokens, std::int64_t pages)
        : page_tokens_(page_tokens), pages_(pages) {}

    void add(decode::AttentionOp attention) const {
        mlir::OpBuilder builder(attention);
        const auto number = [&](std::int64_t value) {
            return value == 0 ? mlir::IntegerAttr() : builder.getI64IntegerAttr(value);
        };
        const mlir::Location where = attention.getLoc();
        const decode::CacheType keys = attention.getKeys().getType();
        const mlir::Type element =
            mlir::cast<mlir::RankedTensorType>(attention.getQuery().getType()).getElementType();
        // The device's digest; other kinds cost the same there.
        const auto kind =
            decode::DigestKindAttr::get(builder.getContext(), decode::DigestKind::minmax);
        const auto group =
            decode::GroupScoreAttr::get(builder.getContext(), decode::GroupScore::max);
        const auto other = decode::OpTypeAttr::get(builder.getContext(), decode::OpType::other);
        const auto digest_type =
            decode::named_tensor({keys.getKvHeads(), ShapedType::kDynamic, keys.getHeadDim()},
                                 {Axis::head, Axis::page, Axis::channel}, element);
        auto digest = builder.create<decode::DigestOp>(
            where, digest_type, digest_type, attention.getKeys(), number(page_tokens_), kind, other,
            decode::PartitioningAttr(), decode::CommunicationAttr(), mlir::DenseI64ArrayAttr());
        auto scores = decode::create<decode::ScorePagesOp>(
            builder, where, decode::named_tensor({ShapedType::kDynamic}, {Axis::page}, element),
            attention.getQuery(), digest.getFirst(), digest.getSecond(), kind, group);
        const Value chosen = decode::create<decode::TopKOp>(
            builder, where,
            decode::named_tensor({pages_ == 0 ? ShapedType::kDynamic : pages_}, {Axis::page},
                                 builder.getI32Type()),
            scores.getResult(), number(pages_));
        attention.getPagesMutable().assign(chosen);
        attention.setPageTokensAttr(number(page_tokens_));
    }

  private:
    std::int64_t page_tokens_;
    std::int64_t pages_;
};

class DecodeSelectPagesPass : public impl::DecodeSelectPagesBase<DecodeSelectPagesPass> {
  public:
    using DecodeSelectPagesBase::DecodeSelectPagesBase;

    void runOnOperation() override {
        const Selection selection(page_tokens, pages);
        for (auto function :
             llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>())) {
            std::vector<decode::AttentionOp> found;
            function.walk([&](decode::AttentionOp op) {
                if (attends_to_all(op)) found.push_back(op);
            });
            if (mlir::failed(agree(function))) return signalPassFailure();
            if (found.empty()) continue;
            mlir::OpBuilder builder(function);
            auto copy = mlir::cast<mlir::func::FuncOp>(builder.clone(*function));
            if (!copy->hasAttr("decode.model")) {
                copy->setAttr("decode.model", builder.getStringAttr(function.getSymName()));
            }
            copy.setSymName((function.getSymName() + "_selecting").str());
            copy.walk([&](decode::AttentionOp op) {
                if (attends_to_all(op)) selection.add(op);
            });
        }
    }

  private:
    // What was asked for, with what a function that selects by itself says.
    mlir::LogicalResult agree(mlir::func::FuncOp function) {
        const auto differs = [](const Option<std::int64_t>& asked,
                                std::optional<std::int64_t> has) {
            return asked.hasValue() && has.value_or(0) != asked;
        };
        const auto shown = [](std::int64_t size) {
            return size == 0 ? std::string("?") : std::to_string(size);
        };
        const mlir::WalkResult walked = function.walk([&](mlir::Operation* op) {
            if (auto digest = mlir::dyn_cast<decode::DigestOp>(op)) {
                if (!differs(page_tokens, digest.getPageTokens()))
                    return mlir::WalkResult::advance();
                digest.emitOpError()
                    << "is of pages of " << shown(digest.getPageTokens().value_or(0))
                    << " tokens, and " << shown(page_tokens) << " were asked for";
                return mlir::WalkResult::interrupt();
            }
            auto top = mlir::dyn_cast<decode::TopKOp>(op);
            if (!top || !differs(pages, top.getK())) return mlir::WalkResult::advance();
            top.emitOpError() << "selects " << shown(top.getK().value_or(0)) << " pages, and "
                              << shown(pages) << " were asked for";
            return mlir::WalkResult::interrupt();
        });
        return mlir::failure(walked.wasInterrupted());
    }
};

}  // namespace
}  // namespace memside::compiler
