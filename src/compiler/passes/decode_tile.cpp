// decode-tile: one attention of qk, softmax and sv, and registers for every value.
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/TypeSwitch.h>

#include "compiler/passes/fuse_attention.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/tiling.h"
#include "compiler/plan/gemv_plan.h"

namespace memside::compiler {

#define GEN_PASS_DEF_DECODETILE
#include <compiler/passes/Passes.h.inc>

namespace {

using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

// The scores of a context have no place of their own: they live as long as a block of tokens.
LogicalResult fuse_attention(mlir::func::FuncOp function) {
    for (Operation& op : llvm::make_early_inc_range(function.front())) {
        auto sv = mlir::dyn_cast<decode::SvOp>(op);
        if (!sv) continue;
        auto softmax = sv.getWeights().getDefiningOp<decode::SoftmaxOp>();
        if (mlir::isa<mlir::BlockArgument>(sv.getWeights())) continue;
        if (!softmax || !softmax->hasOneUse()) {
            return sv.emitOpError(
                "needs weights of a decode.softmax that nothing else uses, or of the caller");
        }
        auto qk = softmax.getScores().getDefiningOp<decode::QkOp>();
        if (!qk || !qk->hasOneUse()) {
            return softmax.emitOpError("needs scores of a decode.qk that nothing else uses");
        }
        fuse(qk, softmax, sv);
    }
    for (Operation& op : function.front()) {
        if (mlir::isa<decode::SoftmaxOp>(op)) {
            return op.emitOpError("is compiled together with qk and sv, which are not there");
        }
        const bool returned = llvm::all_of(
            op.getUsers(), [](Operation* user) { return mlir::isa<mlir::func::ReturnOp>(user); });
        if (mlir::isa<decode::QkOp>(op) && !returned) {
            return op.emitOpError(
                "is compiled together with softmax and sv, or with scores that go to the caller");
        }
    }
    return mlir::success();
}

class Tiler {
  public:
    Tiler(mlir::func::FuncOp function, const AttentionOptions& options)
        : function_(function), options_(options), context_(function.getContext()) {}

    LogicalResult run() {
        if (!map_.take(1, "zeros")) return mlir::failure();  // the tile of zeros
        for (mlir::BlockArgument argument : function_.getArguments()) {
            if (mlir::isa<decode::CacheType>(argument.getType())) continue;
            if (lies_in_banks(argument)) continue;
            const auto range = place(argument, tiles(argument), argument.getLoc());
            if (!range) return mlir::failure();
            function_.setArgAttr(argument.getArgNumber(), registers_name,
                                 range_attribute(context_, *range));
        }
        for (Operation& op : function_.front().without_terminator()) {
            if (failed(visit(&op))) return mlir::failure();
            for (Value operand : op.getOperands()) used(operand);
            for (Value result : op.getResults()) release_unused(result);
        }
        function_->setAttr(target_name, target_attribute(context_, options_));
        return mlir::success();
    }

  private:
    // Weights of a context that SV alone takes.
    static bool lies_in_banks(Value value) {
        return decode::has_axes(value.getType()) &&
               decode::extent(value.getType(), decode::Axis::token) && !value.use_empty() &&
               llvm::all_of(value.getUsers(),
                            [](Operation* user) { return mlir::isa<decode::SvOp>(user); });
    }

    struct Held {
        RegisterRange range;
        std::size_t uses = 0;  // left, of all values that lie here
    };

    LogicalResult visit(Operation* op) {
        return llvm::TypeSwitch<Operation*, LogicalResult>(op)
            .Case([&](decode::WeightOp) { return mlir::success(); })
            .Case([&](decode::LinearOp linear) { return visit_linear(linear); })
            .Case([&](decode::RmsNormOp norm) {
                return result_with_scratch(norm, vector_tiles(norm.getWeight().getType()));
            })
            .Case([&](decode::RopeOp rope) { return in_place(rope, rope.getX()); })
            .Case([&](decode::AllReduceOp sum) { return in_place(sum, sum.getX()); })
            .Case<decode::GateOp, decode::AddOp>(
                [&](Operation* simple) { return result_with_scratch(simple, 0); })
            .Case([&](decode::AppendOp append) {
                append->setAttr(scratch_name, range_attribute(context_, map_.largest()));
                appends_.push_back(append);
                return mlir::success();
            })
            .Case([&](decode::AttentionOp attention) { return visit_attention(attention); })
            .Case([&](decode::QkOp qk) {
                return visit_kernel(qk, qk.getKeys(), qk.getQuery().getType());
            })
            .Case([&](decode::SvOp sv) {
                if (failed(result_with_scratch(sv, 0))) return mlir::failure();
                return visit_kernel(sv, sv.getValues(), sv.getType());
            })
            .Default([&](Operation* other) {
                return other->emitOpError("is not compiled for DRAM-PIM; target pnm has it");
            });
    }

    std::uint32_t vector_tiles(mlir::Type type) const {
        return pim::units(static_cast<std::uint64_t>(decode::values_per_request(type)), pim::lanes);
    }

    // 0 with a diagnostic: the type has no size that registers could hold.
    std::uint32_t tiles(Value value) {
        const mlir::Type type = value.getType();
        const auto fail = [&](llvm::StringRef why) {
            mlir::emitError(value.getLoc()) << type << " " << why;
            return 0U;
        };
        if (!decode::has_axes(type)) return fail("is no tensor with named axes");
        const std::int64_t values = decode::values_per_request(type);
        if (mlir::ShapedType::isDynamic(values)) return fail("has a size that is not known");
        if (decode::extent(type, decode::Axis::batch)) {
            return fail("has the axis batch: requests are compiled one by one");
        }
        const auto heads = decode::extent(type, decode::Axis::head);
        if (heads && values / *heads % pim::lanes != 0) {
            return fail("has heads that fill no whole registers of 16 values");
        }
        return vector_tiles(type);
    }

    std::optional<RegisterRange> place(Value value, std::uint32_t count, mlir::Location location) {
        if (count == 0) return std::nullopt;
        const auto range = map_.take(count, "the tensor");
        if (!range) {
            mlir::emitError(location) << range.error().message();
            return std::nullopt;
        }
        hold(value, held_.size());
        held_.push_back({*range, 0});
        add_uses(value);
        return *range;
    }

    void hold(Value value, std::size_t index) { index_[value] = index; }
    void add_uses(Value value) {
        held_[index_.lookup(value)].uses +=
            static_cast<std::size_t>(std::distance(value.use_begin(), value.use_end()));
    }

    void used(Value value) {
        const auto found = index_.find(value);
        if (found == index_.end()) return;
        Held& held = held_[found->second];
        if (--held.uses == 0) map_.give(held.range);
    }
    void release_unused(Value value) {
        const auto found = index_.find(value);
        if (found != index_.end() && held_[found->second].uses == 0 && value.use_empty()) {
            map_.give(held_[found->second].range);
            index_.erase(found);
        }
    }

    LogicalResult result_with_scratch(Operation* op, std::uint32_t scratch,
                                      std::uint32_t result_tiles = 0) {
        const std::uint32_t own = tiles(op->getResult(0));
        const auto range =
            place(op->getResult(0), std::max(own, own == 0 ? 0 : result_tiles), op->getLoc());
        if (!range) return mlir::failure();
        op->setAttr(registers_name, range_attribute(context_, *range));
        if (scratch == 0) return mlir::success();
        const auto taken = map_.take(scratch, "a vector of the model");
        if (!taken) return op->emitOpError() << taken.error().message();
        op->setAttr(scratch_name, range_attribute(context_, *taken));
        map_.give(*taken);
        return mlir::success();
    }

    LogicalResult visit_linear(decode::LinearOp op) {
        const auto shape = mlir::cast<mlir::RankedTensorType>(op.getWeight().getType()).getShape();
        const auto plan =
            plan_gemv({static_cast<std::uint32_t>(shape[0]), static_cast<std::uint32_t>(shape[1])},
                      options_.channels, {});
        if (!plan) return op.emitOpError() << plan.error().message();
        return result_with_scratch(op, op.getBias() ? vector_tiles(op.getBias().getType()) : 0,
                                   plan->y_tiles());
    }

    // The result takes the operand's registers, or, where that has other uses, a copy.
    LogicalResult in_place(Operation* op, Value operand) {
        if (!operand.hasOneUse() || !index_.contains(operand)) return result_with_scratch(op, 0);
        const std::size_t index = index_.lookup(operand);
        hold(op->getResult(0), index);
        add_uses(op->getResult(0));
        op->setAttr(registers_name, range_attribute(context_, held_[index].range));
        return mlir::success();
    }

    LogicalResult visit_attention(decode::AttentionOp op) {
        if (op.getPages()) {
            return op.emitOpError("over selected pages is not compiled for DRAM-PIM");
        }
        if (failed(result_with_scratch(op, 0))) return mlir::failure();
        const RegisterRange scratch = map_.largest();
        AttentionOptions options = options_;
        AttentionRegisters registers{.scratch = scratch.first, .scratch_tiles = scratch.tiles};
        const auto exchange = plan_exchange(shape_of(op), sharers_of(op), registers);
        if (!exchange) return op.emitOpError() << exchange.error().message();
        const auto rounds = plan_rounds(shape_of(op), options, registers);
        if (!rounds) return op.emitOpError() << rounds.error().message();
        mlir::Builder builder(context_);
        const AttentionPlan& plan = rounds->front().plan;
        const auto heads = builder.getI64IntegerAttr(plan.shape.kv_heads);
        op->setAttr(scratch_name, range_attribute(context_, scratch));
        op->setAttr(block_name, builder.getI64IntegerAttr(plan.block_tokens));
        op->setAttr(heads_name, heads);
        return lay_out_appends(op, {op.getKeys(), op.getValues()}, heads);
    }

    // Appends to the caches that an operation reads follow its rounds of heads.
    LogicalResult lay_out_appends(Operation* op, llvm::ArrayRef<Value> caches,
                                  mlir::IntegerAttr heads) {
        for (const Value cache : caches) {
            const auto argument = origin(op, cache);
            if (!argument) return mlir::failure();
            for (decode::AppendOp append : appends_) {
                if (origin(append, append.getCache()) == argument)
                    append->setAttr(heads_name, heads);
            }
        }
        return mlir::success();
    }

    // QK^T or SV alone: rounds of heads as attention has them, with the scratch that is free.
    LogicalResult visit_kernel(Operation* op, Value cache, mlir::Type heads) {
        const RegisterRange scratch = map_.largest();
        const auto type = mlir::cast<decode::CacheType>(cache.getType());
        const auto rounds = plan_rounds(shape_of(type, heads), options_,
                                        {.scratch = scratch.first, .scratch_tiles = scratch.tiles});
        if (!rounds) return op->emitOpError() << rounds.error().message();
        const auto at_once =
            mlir::Builder(context_).getI64IntegerAttr(rounds->front().plan.shape.kv_heads);
        op->setAttr(scratch_name, range_attribute(context_, scratch));
        op->setAttr(heads_name, at_once);
        return lay_out_appends(op, {cache}, at_once);
    }

    mlir::func::FuncOp function_;
    AttentionOptions options_;
    mlir::MLIRContext* context_;
    RegisterMap map_;
    std::vector<Held> held_;
    llvm::DenseMap<Value, std::size_t> index_;  // of held_
    llvm::SmallVector<decode::AppendOp> appends_;
};

class DecodeTilePass : public impl::DecodeTileBase<DecodeTilePass> {
  public:
    using DecodeTileBase::DecodeTileBase;

    void runOnOperation() override {
        const auto partition = getOperation()->getAttrOfType<mlir::StringAttr>(partition_name);
        if (!partition) {
            getOperation().emitError("is not partitioned: run decode-partition before");
            return signalPassFailure();
        }
        AttentionOptions options;
        options.channels = channels;
        options.partition = partition.getValue() == "tcp" ? HeadPartition::tcp : HeadPartition::hfp;
        options.row_reuse = row_reuse;
        options.accumulators = accumulators;
        options.block_tokens = block_tokens;
        if (const Status fine =
                pim::check_size("the number of channels", options.channels, pim::channel_count);
            !fine.ok()) {
            getOperation().emitError() << fine.error().what;
            return signalPassFailure();
        }
        if (failed(fuse_attention(getOperation())) ||
            failed(Tiler(getOperation(), options).run())) {
            signalPassFailure();
        }
    }
};

}  // namespace
}  // namespace memside::compiler
