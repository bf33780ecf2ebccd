// decode-partition: the part of one module, and what the parts exchange.
#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/TypeSwitch.h>

#include <limits>

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
        : function_(function),
          grid_(grid),
          tcp_(tcp),
          first_module_(first),
          builder_(function.getContext()) {}

    LogicalResult run() {
        if (failed(check_caches()) || failed(find_stage()) || failed(find_heads())) {
            return mlir::failure();
        }
        for (std::int64_t i = 0; i < grid_.tensor; ++i) modules_.push_back(first_module_ + i);
        for (mlir::BlockArgument argument : function_.getArguments()) {
            if (failed(split_argument(argument))) return mlir::failure();
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
    LogicalResult check_caches() {
        for (mlir::BlockArgument argument : function_.getArguments()) {
            const auto cache = mlir::dyn_cast<decode::CacheType>(argument.getType());
            if (cache && (mlir::ShapedType::isDynamic(cache.getKvHeads()) ||
                          mlir::ShapedType::isDynamic(cache.getHeadDim()))) {
                return mlir::emitError(argument.getLoc())
                       << cache << " has a size that is not known; target pnm takes it";
            }
        }
        return mlir::success();
    }

    // Which layers the function's stage has, and its modules.
    LogicalResult find_stage() {
        if (grid_.pipeline == 1) return mlir::success();
        const auto layer = function_->getAttrOfType<mlir::IntegerAttr>("decode.layer");
        const auto layers = function_->getAttrOfType<mlir::IntegerAttr>("decode.layers");
        if (!layer || !layers) {
            return function_.emitError(
                "does not say decode.layer and decode.layers: stages are some of them each");
        }
        const auto stages = split_layers(static_cast<std::uint32_t>(layers.getInt()), grid_);
        if (!stages) return function_.emitError() << stages.error().what;
        for (std::uint32_t stage = 0; stage < stages->size(); ++stage) {
            const StageLayers& has = (*stages)[stage];
            if (layer.getInt() < has.first || layer.getInt() >= has.first + has.count) continue;
            function_->setAttr(stage_name, builder_.getDenseI64ArrayAttr(
                                               {stage, grid_.pipeline, has.first, has.count}));
            first_module_ += std::int64_t{stage} * grid_.tensor;
            return mlir::success();
        }
        return function_.emitError() << "is layer " << layer.getInt() << " of " << layers.getInt();
    }

    // KV heads of the model. Where modules share one, each has its own queries of it.
    LogicalResult find_heads() {
        for (mlir::BlockArgument argument : function_.getArguments()) {
            const auto cache = mlir::dyn_cast<decode::CacheType>(argument.getType());
            if (cache) kv_heads_ = std::min<std::int64_t>(kv_heads_, cache.getKvHeads());
        }
        if (grid_.tensor <= kv_heads_ || grid_.tensor % kv_heads_ != 0) return mlir::success();
        for (auto attention : function_.front().getOps<decode::AttentionOp>()) {
            const auto heads = split_evenly(
                static_cast<std::uint32_t>(
                    decode::extent(attention.getQuery().getType(), Axis::head).value_or(0)),
                1, grid_, "query heads");
            if (!heads) return refuse(attention, heads.error());
        }
        return mlir::success();
    }

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
                    if (failed(follow(op))) return mlir::failure();
                    return share_tokens(op);
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

    // Caches, and values of heads, are a part of the model's.
    LogicalResult split_argument(mlir::BlockArgument argument) {
        if (const auto cache = mlir::dyn_cast<decode::CacheType>(argument.getType())) {
            const auto heads = split_heads(cache.getKvHeads(), "KV heads");
            if (!heads) {
                return mlir::emitError(argument.getLoc()) << "cache: " << heads.error().what;
            }
            argument.setType(decode::CacheType::get(cache.getContext(), *heads, cache.getHeadDim(),
                                                    cache.getKind()));
            return mlir::success();
        }
        if (!decode::has_axes(argument.getType()) ||
            !decode::extent(argument.getType(), Axis::head)) {
            return mlir::success();
        }
        split_.insert(argument);
        const auto type = part(argument.getLoc(), argument.getType());
        if (!type) return mlir::failure();
        argument.setType(*type);
        return mlir::success();
    }

    // With more modules than heads every module has one: those of a head share its tokens.
    Result<std::uint32_t> split_heads(std::int64_t heads, std::string_view what) {
        const auto count = static_cast<std::uint32_t>(heads);
        if (grid_.tensor > count && grid_.tensor % count == 0) return 1U;
        return split_evenly(count, 1, grid_, what);
    }

    // The outermost axis of a request is divided: heads, else channels.
    std::optional<mlir::RankedTensorType> part(mlir::Location location, mlir::Type type) {
        const auto names = decode::axes(type);
        const std::size_t axis = names.front() == Axis::batch ? 1 : 0;
        llvm::SmallVector<std::int64_t> shape(mlir::cast<mlir::RankedTensorType>(type).getShape());
        const std::string what = decode::stringifyAxis(names[axis]).str() + "s";
        const auto size =
            names[axis] == Axis::head
                ? split_heads(shape[axis], what)
                : split_evenly(static_cast<std::uint32_t>(shape[axis]), 1, grid_, what);
        if (!size) {
            mlir::emitError(location) << size.error().what;
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
        if (!by_column) {
            const auto result = part(op.getLoc(), op.getType());
            if (!result) return mlir::failure();
            op.getResult().setType(*result);
            split_.insert(op.getResult());
            // Rows of a head that several modules have are in all of them.
            const std::int64_t rows = decode::values_per_request(*result);
            retype(op.getWeight(), decode::named_tensor({rows, made->columns}, decode::axes(type),
                                                        type.getElementType()));
            if (!op.getBias()) return mlir::success();
            const mlir::Type bias = op.getBias().getType();
            retype(op.getBias(),
                   decode::named_tensor({rows}, decode::axes(bias),
                                        mlir::cast<mlir::RankedTensorType>(bias).getElementType()));
            return mlir::success();
        }
        retype(op.getWeight(), decode::named_tensor({made->rows, made->columns}, decode::axes(type),
                                                    type.getElementType()));
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
            const auto type = part(op->getLoc(), result.getType());
            if (!type) return mlir::failure();
            result.setType(*type);
        }
        return mlir::success();
    }

    // Attention over a part of the tokens of one head, with the queries of all modules that share
    // it.
    LogicalResult share_tokens(Operation* op) {
        if (grid_.tensor <= kv_heads_) return mlir::success();
        auto attention = mlir::dyn_cast<decode::AttentionOp>(op);
        if (!attention) {
            return op->emitOpError() << "of " << kv_heads_ << " KV heads over " << grid_.tensor
                                     << " modules: only decode.attention is combined over tokens";
        }
        if (attention.getWindow() != 0) {
            return op->emitOpError(
                "slides over tokens that several modules share, which is not compiled");
        }
        op->setAttr(sharers_name, builder_.getI64IntegerAttr(grid_.tensor / kv_heads_));
        record(mlir::cast<decode::StepOp>(op), tcp_ ? Partitioning::token : Partitioning::head,
               Communication::all_to_all);
        return mlir::success();
    }

    mlir::func::FuncOp function_;
    ModuleGrid grid_;
    bool tcp_;
    std::int64_t first_module_;
    std::int64_t kv_heads_ = std::numeric_limits<std::int64_t>::max();  // of the model
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
        Partitioner partitioner(getOperation(), {.tensor = tensor, .pipeline = pipeline},
                                heads == "tcp", first_module);
        if (failed(partitioner.run())) signalPassFailure();
    }
};

}  // namespace
}  // namespace memside::compiler
