// decode-partition: the part of one module, and what the parts exchange.
#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/TypeSwitch.h>

#include "compiler/passes/passes.h"
#include "compiler/passes/tiling.h"
#include "compiler/plan/module_plan.h"

namespace memside::compiler {

#define GEN_PASS_DEF_DECODEPARTITION
#include <compiler/passes/Passes.h.inc>

namespace {

using decode::Axis;
using decode::Communication;
using decode::Partitioning;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

class Partitioner {
  public:
    Partitioner(mlir::func::FuncOp function, const ModuleGrid& grid, bool tcp, std::int64_t first)
        : function_(function), grid_(grid), tcp_(tcp), builder_(function.getContext()) {
        for (std::int64_t i = 0; i < grid.tensor; ++i) modules_.push_back(first + i);
    }

    LogicalResult run() {
        for (mlir::BlockArgument argument : function_.getArguments()) {
            const auto cache = mlir::dyn_cast<decode::CacheType>(argument.getType());
            if (cache && failed(split_cache(argument, cache))) return mlir::failure();
            if (!cache && failed(split_heads(argument))) return mlir::failure();
        }
        for (Operation& op : llvm::make_early_inc_range(function_.front())) {
            auto step = mlir::dyn_cast<decode::StepOp>(op);
            if (step && failed(visit(step))) return mlir::failure();
        }
        // Results and arguments have the types of a part now.
        function_.setFunctionType(
            builder_.getFunctionType(function_.front().getArgumentTypes(),
                                     function_.front().getTerminator()->getOperandTypes()));
        function_->setAttr(partition_name, builder_.getStringAttr(tcp_ ? "tcp" : "hfp"));
        return mlir::success();
    }

  private:
    LogicalResult visit(decode::StepOp step) {
        Operation* op = step;
        return llvm::TypeSwitch<Operation*, LogicalResult>(op)
            .Case([&](decode::WeightOp) {
                record(step, Partitioning::copy);
                return mlir::success();
            })
            .Case([&](decode::LinearOp linear) { return split(linear); })
            .Case<decode::QkOp, decode::SoftmaxOp, decode::SvOp, decode::AttentionOp>(
                [&](Operation*) {
                    record(step, tcp_ ? Partitioning::token : Partitioning::head);
                    return follow(op);
                })
            .Case([&](decode::AppendOp append) {
                record(step, Partitioning::head);
                append.getResult().setType(append.getCache().getType());
                return mlir::success();
            })
            .Default([&](Operation*) {
                record(step, Partitioning::copy);
                return follow(op);
            });
    }

    void record(decode::StepOp step, Partitioning partitioning,
                Communication communication = Communication::none) {
        mlir::MLIRContext* context = builder_.getContext();
        step.setOpTypeAttr(decode::OpTypeAttr::get(context, step.getKind()));
        step.setPartitioningAttr(decode::PartitioningAttr::get(context, partitioning));
        step.setCommunicationAttr(decode::CommunicationAttr::get(context, communication));
        step.setModulesAttr(builder_.getDenseI64ArrayAttr(modules_));
    }

    LogicalResult refuse(Operation* op, const Error& error) {
        return op->emitOpError() << error.what;
    }

    LogicalResult split_cache(mlir::BlockArgument argument, decode::CacheType cache) {
        if (mlir::ShapedType::isDynamic(cache.getKvHeads()) ||
            mlir::ShapedType::isDynamic(cache.getHeadDim())) {
            return mlir::emitError(argument.getLoc())
                   << cache << " has a size that is not known; target pnm takes it";
        }
        const auto heads =
            split_evenly(static_cast<std::uint32_t>(cache.getKvHeads()), 1, grid_, "KV heads");
        if (!heads) {
            return mlir::emitError(argument.getLoc()) << "cache: " << heads.error().what;
        }
        argument.setType(decode::CacheType::get(cache.getContext(), *heads, cache.getHeadDim(),
                                                cache.getKind()));
        return mlir::success();
    }

    // Queries, keys and values that a function is given.
    LogicalResult split_heads(mlir::BlockArgument argument) {
        const mlir::Type type = argument.getType();
        if (!decode::has_axes(type) || !decode::extent(type, Axis::head)) return mlir::success();
        if (grid_.tensor == 1) return mlir::success();
        const auto part_of = part(function_, type);
        if (!part_of) return mlir::failure();
        argument.setType(*part_of);
        split_.insert(argument);
        return mlir::success();
    }

    // The outermost axis of a request is divided: heads, else channels.
    std::optional<mlir::RankedTensorType> part(Operation* op, mlir::Type type) {
        const auto names = decode::axes(type);
        const std::size_t axis = names.front() == Axis::batch ? 1 : 0;
        llvm::SmallVector<std::int64_t> shape(mlir::cast<mlir::RankedTensorType>(type).getShape());
        const auto size = split_evenly(static_cast<std::uint32_t>(shape[axis]), 1, grid_,
                                       decode::stringifyAxis(names[axis]).str() + "s");
        if (!size) {
            (void)refuse(op, size.error());
            return std::nullopt;
        }
        shape[axis] = *size;
        return decode::named_tensor(shape, names,
                                    mlir::cast<mlir::RankedTensorType>(type).getElementType());
    }

    // A layer that reads a part of x has those columns, and its sums are added up over modules; one
    // that reads all of x has a part of the rows.
    LogicalResult split(decode::LinearOp op) {
        const bool by_column = split_.contains(op.getX());
        const auto type = mlir::cast<mlir::RankedTensorType>(op.getWeight().getType());
        const auto made =
            split_linear(static_cast<std::uint32_t>(type.getDimSize(0)),
                         static_cast<std::uint32_t>(type.getDimSize(1)),
                         by_column ? pim::Partitioning::column : pim::Partitioning::row, grid_);
        if (!made) return refuse(op, made.error());
        const bool reduces = made->communication == pim::Communication::all_reduce;
        record(mlir::cast<decode::StepOp>(op.getOperation()),
               by_column ? Partitioning::column : Partitioning::row,
               reduces ? Communication::all_reduce : Communication::none);
        if (grid_.tensor == 1) {
            if (!by_column) split_.insert(op.getResult());
            return mlir::success();
        }
        if (op.getBias() && by_column) {
            return op.emitOpError(
                "a bias would be added once a module; give it to an add after it");
        }
        retype(op.getWeight(), decode::named_tensor({made->rows, made->columns}, decode::axes(type),
                                                    type.getElementType()));
        if (!by_column) {
            const auto result = part(op, op.getType());
            if (!result) return mlir::failure();
            op.getResult().setType(*result);
            split_.insert(op.getResult());
            if (!op.getBias()) return mlir::success();
            const auto bias = part(op, op.getBias().getType());
            if (!bias) return mlir::failure();
            retype(op.getBias(), *bias);
            return mlir::success();
        }
        builder_.setInsertionPointAfter(op);
        auto sum = builder_.create<decode::AllReduceOp>(op.getLoc(), op.getType(), op.getResult());
        record(mlir::cast<decode::StepOp>(sum.getOperation()), Partitioning::copy,
               Communication::all_reduce);
        op.getResult().replaceAllUsesExcept(sum, sum);
        return mlir::success();
    }

    // A weight that several operations read is split the same way for all, or refused by a
    // verifier.
    void retype(Value weight, mlir::RankedTensorType type) { weight.setType(type); }

    // Results of heads or values that are split are split too.
    LogicalResult follow(Operation* op) {
        const bool splits = llvm::any_of(op->getOperands(), [&](Value value) {
            return split_.contains(value) ||
                   (grid_.tensor > 1 && mlir::isa<decode::CacheType>(value.getType()));
        });
        if (!splits) return mlir::success();
        for (mlir::OpResult result : op->getResults()) {
            split_.insert(result);
            if (grid_.tensor == 1) continue;
            const auto type = part(op, result.getType());
            if (!type) return mlir::failure();
            result.setType(*type);
        }
        return mlir::success();
    }

    mlir::func::FuncOp function_;
    ModuleGrid grid_;
    bool tcp_;
    mlir::OpBuilder builder_;
    llvm::SmallVector<std::int64_t> modules_;
    llvm::DenseSet<Value> split_;
};

class DecodePartitionPass : public impl::DecodePartitionBase<DecodePartitionPass> {
  public:
    using DecodePartitionBase::DecodePartitionBase;

    void runOnOperation() override {
        if (heads != "hfp" && heads != "tcp") {
            getOperation().emitError() << "heads=" << heads << "; allowed: hfp, tcp";
            return signalPassFailure();
        }
        if (!llvm::hasSingleElement(getOperation().getBody())) {
            getOperation().emitError("a decode step is one block without branches");
            return signalPassFailure();
        }
        Partitioner partitioner(getOperation(), {.tensor = tensor}, heads == "tcp", first_module);
        if (failed(partitioner.run())) signalPassFailure();
    }
};

}  // namespace
}  // namespace memside::compiler
