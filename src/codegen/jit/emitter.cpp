#include "codegen/jit/emitter.h"

namespace memside::codegen {

namespace arith = mlir::arith;
namespace scf = mlir::scf;

Value Emitter::index(std::int64_t value) {
    return builder.create<arith::ConstantIndexOp>(loc, value);
}
Value Emitter::add(Value a, Value b) {
    return builder.create<arith::AddIOp>(loc, a, b);
}
Value Emitter::add(Value a, std::int64_t b) {
    return b == 0 ? a : add(a, index(b));
}
Value Emitter::multiply(Value a, std::int64_t b) {
    return b == 1 ? a : builder.create<arith::MulIOp>(loc, a, index(b)).getResult();
}
Value Emitter::divide(Value a, std::int64_t b) {
    return b == 1 ? a : builder.create<arith::DivUIOp>(loc, a, index(b)).getResult();
}
Value Emitter::remainder(Value a, std::int64_t b) {
    return b == 1 ? index(0) : builder.create<arith::RemUIOp>(loc, a, index(b)).getResult();
}
Value Emitter::least(Value a, Value b) {
    return builder.create<arith::MinUIOp>(loc, a, b);
}
Value Emitter::equal(Value a, Value b) {
    return builder.create<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, a, b);
}

Value Emitter::negate(Value condition) {
    return builder.create<arith::XOrIOp>(loc, condition,
                                         builder.create<arith::ConstantIntOp>(loc, 1, 1));
}

Value Emitter::splat(mlir::VectorType type, std::int64_t value) {
    const auto element = builder.getIntegerAttr(type.getElementType(), value);
    return builder.create<arith::ConstantOp>(loc, mlir::DenseElementsAttr::get(type, element));
}
Value Emitter::broadcast(mlir::VectorType type, Value scalar) {
    return builder.create<mlir::vector::BroadcastOp>(loc, type, scalar);
}
Value Emitter::bitcast(mlir::VectorType type, Value value) {
    return value.getType() == type
               ? value
               : builder.create<mlir::vector::BitCastOp>(loc, type, value).getResult();
}

Value Emitter::load(Value buffer, Value offset, mlir::VectorType type) {
    return builder.create<mlir::vector::LoadOp>(loc, type, buffer, offset);
}
void Emitter::store(Value vector, Value buffer, Value offset) {
    builder.create<mlir::vector::StoreOp>(loc, vector, buffer, offset);
}

Value Emitter::intrinsic(const char* name, mlir::Type result, mlir::ValueRange arguments) {
    return builder
        .create<mlir::LLVM::CallIntrinsicOp>(loc, result, llvm::StringRef(name), arguments)
        .getResult(0);
}

Values Emitter::loop(Value first, Value last, mlir::ValueRange carried,
                     const std::function<Values(Value, mlir::ValueRange)>& body) {
    auto op = builder.create<scf::ForOp>(
        loc, first, last, index(1), carried,
        [&](mlir::OpBuilder& inside, mlir::Location, Value i, mlir::ValueRange values) {
            mlir::OpBuilder::InsertionGuard guard(builder);
            builder.setInsertionPoint(inside.getInsertionBlock(), inside.getInsertionPoint());
            const Values next = body(i, values);
            builder.create<scf::YieldOp>(loc, next);
        });
    return Values(op.getResults());
}

void Emitter::loop(Value first, Value last, const std::function<void(Value)>& body) {
    loop(first, last, {}, [&](Value i, mlir::ValueRange) {
        body(i);
        return Values{};
    });
}

void Emitter::repeat(std::int64_t count, const std::function<void(Value)>& body) {
    constexpr std::int64_t few = 4;
    if (count > few) {
        loop(index(0), index(count), body);
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) body(index(i));
}

void Emitter::when(Value condition, const std::function<void()>& body) {
    builder.create<scf::IfOp>(loc, condition, [&](mlir::OpBuilder& inside, mlir::Location) {
        mlir::OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPoint(inside.getInsertionBlock(), inside.getInsertionPoint());
        body();
        builder.create<scf::YieldOp>(loc);
    });
}

mlir::func::FuncOp Emitter::function(const std::string& name, mlir::TypeRange arguments,
                                     bool is_public,
                                     const std::function<void(mlir::ValueRange)>& body) {
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module_.getBody());
    auto op = builder.create<mlir::func::FuncOp>(loc, name,
                                                 builder.getFunctionType(arguments, std::nullopt));
    if (!is_public) {
        op.setPrivate();
        // Objects of several kernels may be linked together.
        op->setAttr("llvm.linkage", mlir::LLVM::LinkageAttr::get(builder.getContext(),
                                                                 mlir::LLVM::Linkage::Internal));
        op->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    }
    builder.setInsertionPointToStart(op.addEntryBlock());
    for (unsigned i = 0; i < op.getNumArguments(); ++i) {
        if (mlir::isa<mlir::MemRefType>(op.getArgument(i).getType())) {
            op.setArgAttr(i, "llvm.noalias", builder.getUnitAttr());
        }
    }
    body(op.getArguments());
    builder.create<mlir::func::ReturnOp>(loc);
    return op;
}

void Emitter::call(mlir::func::FuncOp function, mlir::ValueRange arguments) {
    builder.create<mlir::func::CallOp>(loc, function, arguments);
}

}  // namespace memside::codegen
