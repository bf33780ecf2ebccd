// Norms, gates, rotation, softmax and sums of linalg as operations of `decode`.
#include "compiler/front/linalg_function.h"

namespace memside::compiler {

using decode::Axis;
using mlir::Value;

namespace {

mlir::FloatAttr f32(mlir::OpBuilder& builder, double value) {
    return builder.getF32FloatAttr(static_cast<float>(value));
}

bool is_scores(Value value) {
    return decode::has_axes(value.getType()) &&
           decode::extent(value.getType(), Axis::token).has_value();
}

}  // namespace

Value LinalgFunction::argument(unsigned index, mlir::Type type) {
    Value& made = arguments_[index];
    if (made) return made;
    // In the order of the old ones.
    const auto place = std::distance(arguments_.begin(), arguments_.find(index));
    made = made_.front().insertArgument(static_cast<unsigned>(place), type,
                                        old_.getArgument(index).getLoc());
    return made;
}

std::string LinalgFunction::name_of(unsigned index) {
    if (const auto given = old_.getArgAttrOfType<mlir::StringAttr>(index, "decode.name")) {
        return given.str();
    }
    return fmt::format("arg{}", index);
}

Value LinalgFunction::weight(unsigned index, llvm::ArrayRef<std::int64_t> shape, bool transposed) {
    Value& made = weights_[index];
    if (made) return made;
    llvm::SmallVector<Axis, 2> names{Axis::channel};
    if (shape.size() == 2) names = {Axis::row, Axis::column};
    const auto type = decode::named_tensor(shape, names, old_type(index).getElementType());
    const mlir::OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(&made_.front());
    auto op = builder_.create<decode::WeightOp>(
        old_.getArgument(index).getLoc(), type, builder_.getStringAttr(name_of(index)),
        mlir::DenseF32ArrayAttr(), decode::OpTypeAttr(), decode::PartitioningAttr(),
        decode::CommunicationAttr(), mlir::DenseI64ArrayAttr());
    // The source has [column, row].
    if (transposed) op->setAttr("decode.transposed", builder_.getUnitAttr());
    made = op;
    return made;
}

Value LinalgFunction::vector_argument(unsigned index, mlir::Location location) {
    const auto type = old_type(index);
    if (!type.hasStaticShape()) {
        mlir::emitError(location) << "argument " << index << " is used as a vector, but has a size "
                                  << "that is not known: " << type;
        return nullptr;
    }
    return argument(index, decode::named_tensor({type.getNumElements()}, {Axis::channel},
                                                type.getElementType()));
}

Value LinalgFunction::shaped(Value vector, std::int64_t channels, mlir::Location location) {
    if (!vector) return nullptr;
    const auto type = mlir::cast<mlir::RankedTensorType>(vector.getType());
    const std::int64_t values = decode::values_per_request(type);
    if (decode::extent(type, Axis::channel) == channels) return vector;
    const bool flat = type.getRank() == 1;
    if (!flat || values % channels != 0) {
        mlir::emitError(location) << "vectors of " << channels << " values are expected, not "
                                  << type;
        return nullptr;
    }
    const auto wanted = decode::named_tensor({values / channels, channels},
                                             {Axis::head, Axis::channel}, type.getElementType());
    const bool changeable =
        vector.getDefiningOp<decode::LinearOp>() || mlir::isa<mlir::BlockArgument>(vector);
    if (!changeable || !vector.use_empty()) {
        mlir::emitError(location)
            << "a vector that is not the result of a linear layer, or is used "
            << "elsewhere, cannot be split into heads of " << channels;
        return nullptr;
    }
    vector.setType(wanted);
    return vector;
}

Value LinalgFunction::norm(const ExpressionRef& expression, const NormPattern& pattern) {
    const auto channels = static_cast<std::int64_t>(pattern.channels);
    if (!pattern.weight) {
        mlir::emitError(expression->location) << "a norm without weights is not supported";
        return nullptr;
    }
    const Value x = shaped(materialize(pattern.x), channels, expression->location);
    if (!x) return nullptr;
    const Value factors = weight(pattern.weight->argument, {channels}, false);
    const auto offset = pattern.unit_offset ? builder_.getUnitAttr() : mlir::UnitAttr();
    return decode::create<decode::RmsNormOp>(builder_, expression->location, x.getType(), x,
                                             factors, f32(builder_, pattern.eps), offset);
}

Value LinalgFunction::gate(const ExpressionRef& expression, const GatePattern& pattern) {
    const Value gated = materialize(pattern.gate);
    const Value up = gated ? materialize(pattern.up) : nullptr;
    if (!up) return nullptr;
    const auto function =
        pattern.gelu ? decode::GateFunction::gelu_tanh : decode::GateFunction::silu;
    return decode::create<decode::GateOp>(
        builder_, expression->location, gated.getType(), gated, up,
        decode::GateFunctionAttr::get(builder_.getContext(), function));
}

Value LinalgFunction::rotation(const ExpressionRef& expression, const RotationPattern& pattern) {
    if (!is(pattern.cos, ExpressionKind::argument) || !is(pattern.sin, ExpressionKind::argument)) {
        mlir::emitError(expression->location)
            << "the cosines and sines of a rotation must be arguments of the function";
        return nullptr;
    }
    const unsigned cos = pattern.cos->argument;
    const auto theta = old_.getArgAttrOfType<mlir::FloatAttr>(cos, "decode.theta");
    if (!theta) {
        mlir::emitError(expression->location)
            << "the base of this rotation is not known: give argument " << cos
            << ", its cosines, the attribute decode.theta";
        return nullptr;
    }
    const std::int64_t channels = old_type(cos).getNumElements();
    const Value x = shaped(materialize(pattern.x), channels, expression->location);
    if (!x) return nullptr;
    return decode::create<decode::RopeOp>(
        builder_, expression->location, x.getType(), x, Value(),
        f32(builder_, theta.getValueAsDouble()),
        decode::RopeStyleAttr::get(builder_.getContext(), decode::RopeStyle::neox),
        f32(builder_, 1));
}

Value LinalgFunction::scaled_scores(const ExpressionRef& expression, double* scale) {
    const Factors factors = factors_of(expression);
    if (factors.above.size() == 1 && factors.below.empty() &&
        is(factors.above[0], ExpressionKind::value) && is_scores(factors.above[0]->value)) {
        *scale = factors.number;
        return factors.above[0]->value;
    }
    auto error = mlir::emitError(expression->location);
    error << "softmax of scores of cached keys times a number is expected here";
    if (is(expression, ExpressionKind::add)) {
        error << "; a mask is not needed: a step sees the tokens that are there";
    }
    return nullptr;
}

Value LinalgFunction::softmax(const ExpressionRef& expression, const ExpressionRef& scores) {
    double scale = 1;
    const Value found = scaled_scores(scores, &scale);
    if (!found) return nullptr;
    return decode::create<decode::SoftmaxOp>(builder_, expression->location, found.getType(), found,
                                             f32(builder_, scale), builder_.getI64IntegerAttr(0));
}

Value LinalgFunction::sum(const ExpressionRef& expression) {
    // A bias, which is an argument, belongs to the linear layer.
    for (const std::size_t i : {0U, 1U}) {
        const ExpressionRef& bias = expression->parts[i];
        const ExpressionRef& other = expression->parts[1 - i];
        if (!is(bias, ExpressionKind::argument) || arguments_.contains(bias->argument)) continue;
        const Value x = materialize(other);
        auto linear = x ? x.getDefiningOp<decode::LinearOp>() : decode::LinearOp();
        if (!linear || linear.getBias() || !x.use_empty()) continue;
        const Value added =
            weight(bias->argument, {decode::values_per_request(x.getType())}, false);
        linear.getBiasMutable().assign(added);
        return x;
    }
    const Value lhs = materialize(expression->parts[0]);
    const Value rhs = lhs ? materialize(expression->parts[1]) : nullptr;
    if (!rhs) return nullptr;
    if (lhs.getType() != rhs.getType()) {
        mlir::emitError(expression->location)
            << "adds vectors of different form: " << lhs.getType() << " and " << rhs.getType();
        return nullptr;
    }
    return decode::create<decode::AddOp>(builder_, expression->location, lhs.getType(), lhs, rhs);
}

Value LinalgFunction::materialize(const ExpressionRef& expression) {
    if (!expression) return nullptr;
    if (is(expression, ExpressionKind::value)) return expression->value;
    if (is(expression, ExpressionKind::argument)) {
        return vector_argument(expression->argument, expression->location);
    }
    if (const auto found = materialized_.find(expression.get()); found != materialized_.end()) {
        return found->second;
    }
    Value made;
    if (const auto found = match_norm(expression)) {
        made = norm(expression, *found);
    } else if (const auto scores = match_softmax(expression)) {
        made = softmax(expression, *scores);
    } else if (const auto gated = match_gate(expression)) {
        made = gate(expression, *gated);
    } else if (const auto rotated = match_rotation(expression)) {
        made = rotation(expression, *rotated);
    } else if (is(expression, ExpressionKind::add)) {
        made = sum(expression);
    } else {
        mlir::emitError(expression->location)
            << "is no operation of a decode step; those are products with weights and caches, "
               "softmax, RMS norm, gate (SiLU, or GELU by tanh), rotation and sum";
    }
    if (!made) return nullptr;
    kept_.push_back(expression);
    materialized_[expression.get()] = made;
    return made;
}

}  // namespace memside::compiler
