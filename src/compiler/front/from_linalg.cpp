// linalg-to-decode: what every operation of a function means for a decode step.
#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Math/IR/Math.h>
#include <mlir/Dialect/Tensor/IR/Tensor.h>

#include <llvm/ADT/TypeSwitch.h>

#include "compiler/front/linalg_function.h"
#include "compiler/front/passes.h"

namespace memside::compiler {

#define GEN_PASS_DEF_LINALGTODECODE
#include <compiler/front/Passes.h.inc>

using mlir::LogicalResult;
using mlir::Value;
using mlir::linalg::LinalgOp;
using Kind = ExpressionKind;

namespace {

std::optional<double> number_of(mlir::Attribute attribute) {
    if (const auto real = mlir::dyn_cast<mlir::FloatAttr>(attribute))
        return real.getValueAsDouble();
    if (const auto whole = mlir::dyn_cast<mlir::IntegerAttr>(attribute)) {
        return static_cast<double>(whole.getInt());
    }
    const auto splat = mlir::dyn_cast<mlir::SplatElementsAttr>(attribute);
    return splat ? number_of(splat.getSplatValue<mlir::Attribute>()) : std::nullopt;
}

// Whether a permutation moves axes of size 1 alone.
bool keeps_order(llvm::ArrayRef<std::int64_t> permutation, llvm::ArrayRef<std::int64_t> shape) {
    std::int64_t last = -1;
    for (const std::int64_t axis : permutation) {
        if (shape[static_cast<std::size_t>(axis)] == 1) continue;
        if (axis < last) return false;
        last = axis;
    }
    return true;
}

// Shapes and sizes, which expressions leave out.
bool is_shape_arithmetic(mlir::Operation& op) {
    if (mlir::isa<mlir::tensor::EmptyOp, mlir::tensor::DimOp>(op)) return true;
    return op.getNumResults() == 1 && op.getResult(0).getType().isIntOrIndex() &&
           op.getNumRegions() == 0;
}

}  // namespace

LinalgFunction::LinalgFunction(mlir::func::FuncOp old) : old_(old), builder_(old) {
    for (const mlir::BlockArgument argument : old.getArguments()) {
        known_[argument] =
            std::make_shared<Expression>(Expression{.kind = Kind::argument,
                                                    .location = argument.getLoc(),
                                                    .argument = argument.getArgNumber()});
    }
}

ExpressionRef LinalgFunction::at(Value value, mlir::Operation* user) {
    if (const auto found = known_.find(value); found != known_.end()) return found->second;
    user->emitOpError() << "reads a value that is nothing of a decode step: " << value.getType();
    return nullptr;
}

ExpressionRef LinalgFunction::body_value(mlir::Operation& outer, mlir::Operation& op,
                                         llvm::DenseMap<Value, ExpressionRef>& known) {
    llvm::SmallVector<ExpressionRef, 2> parts;
    for (const Value operand : op.getOperands()) {
        auto found = known.find(operand);
        if (found == known.end() && (found = known_.find(operand)) == known_.end()) return nullptr;
        parts.push_back(found->second);
    }
    if (mlir::isa<mlir::arith::ExtFOp, mlir::arith::TruncFOp>(op)) return parts[0];
    const auto kind =
        llvm::TypeSwitch<mlir::Operation*, std::optional<Kind>>(&op)
            .Case<mlir::arith::AddFOp>([](auto) { return Kind::add; })
            .Case<mlir::arith::SubFOp>([](auto) { return Kind::subtract; })
            .Case<mlir::arith::MulFOp>([](auto) { return Kind::multiply; })
            .Case<mlir::arith::DivFOp>([](auto) { return Kind::divide; })
            .Case<mlir::arith::NegFOp>([](auto) { return Kind::negate; })
            .Case<mlir::math::ExpOp>([](auto) { return Kind::exp; })
            .Case<mlir::math::SqrtOp>([](auto) { return Kind::square_root; })
            .Case<mlir::math::TanhOp>([](auto) { return Kind::tanh; })
            .Case<mlir::math::PowFOp, mlir::math::FPowIOp>([](auto) { return Kind::power; })
            .Default([](auto) { return std::nullopt; });
    // Bodies of named operations have no location.
    if (kind) return make(*kind, outer, parts);
    if (mlir::isa<mlir::math::RsqrtOp>(op)) {
        return make(Kind::divide, outer,
                    {make(Kind::constant, outer, {}, 1), make(Kind::square_root, outer, parts)});
    }
    return nullptr;
}

LogicalResult LinalgFunction::visit_linalg(LinalgOp op) {
    if (auto transpose = mlir::dyn_cast<mlir::linalg::TransposeOp>(op.getOperation())) {
        const ExpressionRef from = at(transpose.getInput(), op);
        if (!from) return mlir::failure();
        const auto shape = mlir::cast<mlir::ShapedType>(transpose.getInput().getType()).getShape();
        if (is(from, Kind::argument) && from->axes.empty()) {
            auto moved = std::make_shared<Expression>(*from);
            moved->axes.assign(transpose.getPermutation().begin(),
                               transpose.getPermutation().end());
            known_[op->getResult(0)] = moved;
            return mlir::success();
        }
        if (!is(from, Kind::cache) && !keeps_order(transpose.getPermutation(), shape)) {
            return op->emitOpError("moves the axes of a vector, which is not supported");
        }
        known_[op->getResult(0)] = from;
        return mlir::success();
    }
    if (mlir::linalg::isaContractionOpInterface(op)) return visit_contraction(op);
    if (op->getNumResults() != 1) return op->emitOpError("has more than one result");

    llvm::DenseMap<Value, ExpressionRef> known;
    const bool reduces = op.getNumReductionLoops() > 0;
    mlir::Block& body = *op.getBlock();
    for (mlir::OpOperand& operand : op->getOpOperands()) {
        const bool init = op.isDpsInit(&operand);
        // Of an elementwise operation only what it is written over with is of interest.
        const unsigned number = operand.getOperandNumber();
        if (init && !reduces &&
            (number >= body.getNumArguments() || body.getArgument(number).use_empty())) {
            continue;
        }
        const ExpressionRef found =
            mlir::isa<mlir::ShapedType>(operand.get().getType())
                ? at(operand.get(), op)
                : (known_.contains(operand.get()) ? known_[operand.get()] : nullptr);
        if (!found) return mlir::failure();
        known[body.getArgument(number)] = found;
    }
    const mlir::BlockArgument carried = body.getArgument(body.getNumArguments() - 1);
    Value result = body.getTerminator()->getOperand(0);
    for (mlir::Operation& inner : body.without_terminator()) {
        // The last step of a reduction is not an expression of its own.
        if (reduces && inner.getNumResults() == 1 && inner.getResult(0) == result) break;
        if (auto constant = mlir::dyn_cast<mlir::arith::ConstantOp>(inner)) {
            if (const auto number = number_of(constant.getValue())) {
                known[inner.getResult(0)] = make(Kind::constant, *op, {}, *number);
                continue;
            }
        }
        const ExpressionRef made = body_value(*op, inner, known);
        if (!made) return inner.emitOpError("in linalg is not supported");
        known[inner.getResult(0)] = made;
    }
    if (!reduces) {
        const auto found = known.find(result);
        if (found == known.end()) {
            return op->emitOpError("yields a value from outside, which is not supported");
        }
        known_[op->getResult(0)] = found->second;
        return mlir::success();
    }
    mlir::Operation* last = result.getDefiningOp();
    const bool adds = mlir::isa_and_nonnull<mlir::arith::AddFOp>(last);
    const bool maximum =
        mlir::isa_and_nonnull<mlir::arith::MaximumFOp, mlir::arith::MaxNumFOp>(last);
    if ((!adds && !maximum) || op.getNumReductionLoops() != 1 || !known.contains(carried)) {
        return op->emitOpError("is a reduction that is neither a sum nor a maximum along one axis");
    }
    const Value term = last->getOperand(last->getOperand(0) == carried ? 1 : 0);
    if (!known.contains(term) || (adds && !is_number(known[carried], 0))) {
        return op->emitOpError("is a sum that does not start from 0");
    }
    llvm::SmallVector<unsigned> loops;
    op.getReductionDims(loops);
    known_[op->getResult(0)] = make(adds ? Kind::sum : Kind::max, *op, {known[term]},
                                    static_cast<double>(op.getStaticLoopRanges()[loops.front()]));
    return mlir::success();
}

LogicalResult LinalgFunction::visit_insert(mlir::Operation& op, Value into, Value from) {
    const ExpressionRef cache = at(into, &op);
    const ExpressionRef added = at(from, &op);
    if (!cache || !added) return mlir::failure();
    if (!is(cache, Kind::argument) || caches_.contains(cache->argument)) {
        return op.emitOpError(
            "puts vectors together; that is supported for a cache, an argument, and one new token");
    }
    caches_[cache->argument].appended = added;
    known_[op.getResult(0)] = std::make_shared<Expression>(
        Expression{.kind = Kind::cache, .location = op.getLoc(), .argument = cache->argument});
    return mlir::success();
}

LogicalResult LinalgFunction::visit_concat(mlir::Operation& op) {
    if (op.getNumOperands() != 2) return op.emitOpError("puts more than two tensors together");
    const ExpressionRef first = at(op.getOperand(0), &op);
    const ExpressionRef second = at(op.getOperand(1), &op);
    if (!first || !second) return mlir::failure();
    if (is(first, Kind::argument)) return visit_insert(op, op.getOperand(0), op.getOperand(1));
    known_[op.getResult(0)] = make(Kind::join, op, {first, second});
    return mlir::success();
}

LogicalResult LinalgFunction::visit_slice(mlir::Operation& op) {
    auto slice = mlir::cast<mlir::tensor::ExtractSliceOp>(op);
    const ExpressionRef from = at(slice.getSource(), &op);
    if (!from) return mlir::failure();
    const auto shape = slice.getSourceType().getShape();
    const auto sizes = slice.getStaticSizes();
    const auto offsets = slice.getStaticOffsets();
    const bool rest = sizes.drop_back() == shape.drop_back() &&
                      llvm::all_of(offsets.drop_back(), [](std::int64_t o) { return o == 0; });
    const bool half =
        sizes.back() * 2 == shape.back() && (offsets.back() == 0 || offsets.back() == sizes.back());
    if (!rest || !half) return op.emitOpError("takes a part that is not a half of the last axis");
    known_[op.getResult(0)] =
        make(offsets.back() == 0 ? Kind::first_half : Kind::second_half, op, {from});
    return mlir::success();
}

LogicalResult LinalgFunction::visit_return(mlir::func::ReturnOp op) {
    llvm::SmallVector<Value> results;
    for (const Value operand : op.getOperands()) {
        const ExpressionRef result = at(operand, op);
        if (!result) return mlir::failure();
        const auto cache = is(result, Kind::cache) ? caches_.find(result->argument) : caches_.end();
        Value made;
        if (cache == caches_.end()) {
            made = materialize(result);
        } else if (cache->second.kind) {
            made = cache->second.now;
        } else {
            return op.emitOpError("returns a cache that no product reads");
        }
        if (!made) return mlir::failure();
        results.push_back(made);
    }
    builder_.create<mlir::func::ReturnOp>(op.getLoc(), results);
    made_.setFunctionType(builder_.getFunctionType(made_.front().getArgumentTypes(),
                                                   mlir::ValueRange(results).getTypes()));
    return mlir::success();
}

LogicalResult LinalgFunction::visit(mlir::Operation& op) {
    if (auto constant = mlir::dyn_cast<mlir::arith::ConstantOp>(op)) {
        const auto number = number_of(constant.getValue());
        if (!number) return op.emitOpError("is a table of numbers; weights must be arguments");
        known_[op.getResult(0)] = make(Kind::constant, op, {}, *number);
        return mlir::success();
    }
    if (auto fill = mlir::dyn_cast<mlir::linalg::FillOp>(op)) {
        const auto value = known_.find(fill.getInputs()[0]);
        if (value == known_.end()) return op.emitOpError("fills with a value that is not constant");
        known_[op.getResult(0)] = value->second;
        return mlir::success();
    }
    if (auto softmax = mlir::dyn_cast<mlir::linalg::SoftmaxOp>(op)) {
        const ExpressionRef scores = at(softmax.getInput(), &op);
        if (!scores) return mlir::failure();
        const auto rank = mlir::cast<mlir::ShapedType>(softmax.getInput().getType()).getRank();
        if (static_cast<std::int64_t>(softmax.getDimension()) != rank - 1) {
            return op.emitOpError("is not along the last axis, the tokens");
        }
        known_[op.getResult(0)] = make(Kind::softmax, op, {scores});
        return mlir::success();
    }
    if (auto insert = mlir::dyn_cast<mlir::tensor::InsertSliceOp>(op)) {
        return visit_insert(op, insert.getDest(), insert.getSource());
    }
    if (mlir::isa<mlir::tensor::ConcatOp>(op)) return visit_concat(op);
    if (mlir::isa<mlir::tensor::ExtractSliceOp>(op)) return visit_slice(op);
    if (mlir::isa<mlir::tensor::ExpandShapeOp, mlir::tensor::CollapseShapeOp, mlir::tensor::CastOp,
                  mlir::linalg::BroadcastOp>(op)) {
        const ExpressionRef from = at(op.getOperand(0), &op);
        if (!from) return mlir::failure();
        known_[op.getResult(0)] = from;
        return mlir::success();
    }
    if (auto linalg = mlir::dyn_cast<LinalgOp>(op)) return visit_linalg(linalg);
    if (auto result = mlir::dyn_cast<mlir::func::ReturnOp>(op)) return visit_return(result);
    if (is_shape_arithmetic(op)) return mlir::success();
    return op.emitOpError(
        "is not supported in a decode step; what is: linalg and tensor on one token");
}

LogicalResult LinalgFunction::convert() {
    if (!old_.getBody().hasOneBlock()) return old_.emitError("has more than one block");
    for (const mlir::Type type : old_.getArgumentTypes()) {
        if (!mlir::isa<mlir::RankedTensorType>(type) && !type.isIntOrIndex()) {
            return old_.emitError() << "has an argument of " << type
                                    << "; tensors of a known rank are supported, and positions";
        }
    }
    made_ = builder_.create<mlir::func::FuncOp>(old_.getLoc(), old_.getName(),
                                                builder_.getFunctionType({}, {}));
    builder_.setInsertionPointToStart(made_.addEntryBlock());
    for (mlir::Operation& op : old_.front()) {
        if (mlir::failed(visit(op))) {
            made_.erase();
            return mlir::failure();
        }
    }
    old_.erase();
    return mlir::success();
}

namespace {

class LinalgToDecodePass : public impl::LinalgToDecodeBase<LinalgToDecodePass> {
  public:
    using LinalgToDecodeBase::LinalgToDecodeBase;

    void runOnOperation() override {
        for (auto function :
             llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>())) {
            // Functions of `decode` stay as they are.
            const bool decoded = function
                                     .walk([](mlir::Operation* op) {
                                         return mlir::isa<decode::DecodeDialect>(op->getDialect())
                                                    ? mlir::WalkResult::interrupt()
                                                    : mlir::WalkResult::advance();
                                     })
                                     .wasInterrupted();
            if (decoded || function.isExternal()) continue;
            if (mlir::failed(LinalgFunction(function).convert())) return signalPassFailure();
        }
    }
};

}  // namespace
}  // namespace memside::compiler
