#include "compiler/passes/fuse_attention.h"

#include <mlir/Dialect/Func/IR/FuncOps.h>

#include "compiler/passes/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_DECODEFUSEATTENTION
#include <compiler/passes/Passes.h.inc>

void fuse(decode::QkOp qk, decode::SoftmaxOp softmax, decode::SvOp sv) {
    mlir::OpBuilder builder(sv);
    auto fused = builder.create<decode::AttentionOp>(
        sv.getLoc(), sv.getType(), qk.getQuery(), qk.getKeys(), sv.getValues(),
        /*pages=*/mlir::Value(), softmax.getScaleAttr(), softmax.getWindowAttr(),
        /*page_tokens=*/mlir::IntegerAttr(), /*op_type=*/decode::OpTypeAttr(),
        qk.getPartitioningAttr(), qk.getCommunicationAttr(), qk.getModulesAttr());
    fused.setOpTypeAttr(decode::OpTypeAttr::get(sv.getContext(), decode::OpType::attention));
    sv.replaceAllUsesWith(fused.getResult());
    sv.erase();
    softmax.erase();
    qk.erase();
}

namespace {

class DecodeFuseAttentionPass : public impl::DecodeFuseAttentionBase<DecodeFuseAttentionPass> {
  public:
    using DecodeFuseAttentionBase::DecodeFuseAttentionBase;

    void runOnOperation() override {
        std::vector<decode::SvOp> sums;
        getOperation().walk([&](decode::SvOp sv) { sums.push_back(sv); });
        for (decode::SvOp sv : sums) {
            auto softmax = sv.getWeights().getDefiningOp<decode::SoftmaxOp>();
            if (!softmax || !softmax->hasOneUse()) continue;
            auto qk = softmax.getScores().getDefiningOp<decode::QkOp>();
            if (qk && qk->hasOneUse()) fuse(qk, softmax, sv);
        }
    }
};

}  // namespace
}  // namespace memside::compiler
