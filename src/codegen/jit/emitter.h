// Short names for the MLIR that convolution kernels consist of. A buffer is a memref of bytes of
// static size; offsets are index values, in bytes.
#pragma once

#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/LLVMIR/LLVMDialect.h>
#include <mlir/Dialect/MemRef/IR/MemRef.h>
#include <mlir/Dialect/SCF/IR/SCF.h>
#include <mlir/Dialect/Vector/IR/VectorOps.h>
#include <mlir/IR/Builders.h>
#include <mlir/IR/BuiltinOps.h>
#include <functional>

#include <cstdint>
#include <string>
#include <vector>

namespace memside::codegen {

using mlir::Value;
using Values = llvm::SmallVector<Value>;

class Emitter {
  public:
    explicit Emitter(mlir::ModuleOp module)
        : builder(module.getBodyRegion()), loc(builder.getUnknownLoc()), module_(module) {}

    mlir::VectorType bytes(std::int64_t count) { return vector(count, 8); }
    mlir::VectorType vector(std::int64_t count, unsigned bits) {
        return mlir::VectorType::get({count}, builder.getIntegerType(bits));
    }

    Value index(std::int64_t value);
    Value add(Value a, Value b);
    Value add(Value a, std::int64_t b);
    Value multiply(Value a, std::int64_t b);
    Value divide(Value a, std::int64_t b);     // unsigned
    Value remainder(Value a, std::int64_t b);  // unsigned
    Value least(Value a, Value b);             // unsigned
    Value equal(Value a, Value b);
    Value negate(Value condition);
    Value equal(Value a, std::int64_t b) { return equal(a, index(b)); }

    // A vector with `value` in every lane.
    Value splat(mlir::VectorType type, std::int64_t value);
    Value broadcast(mlir::VectorType type, Value scalar);
    Value bitcast(mlir::VectorType type, Value value);

    Value load(Value buffer, Value offset, mlir::VectorType type);
    void store(Value vector, Value buffer, Value offset);

    // A call of the LLVM intrinsic of that name.
    Value intrinsic(const char* name, mlir::Type result, mlir::ValueRange arguments);

    // for (i = first; i < last; ++i) carried = body(i, carried); returns what is carried at the
    // end.
    Values loop(Value first, Value last, mlir::ValueRange carried,
                const std::function<Values(Value, mlir::ValueRange)>& body);
    void loop(Value first, Value last, const std::function<void(Value)>& body);
    // body(0), body(1), ... without a loop where there are few.
    void repeat(std::int64_t count, const std::function<void(Value)>& body);
    void when(Value condition, const std::function<void()>& body);

    // A function with the arguments' types and without results; `body` gets its arguments. What is
    // private is never inlined: each register tile is to have the registers for itself.
    mlir::func::FuncOp function(const std::string& name, mlir::TypeRange arguments, bool is_public,
                                const std::function<void(mlir::ValueRange)>& body);
    void call(mlir::func::FuncOp function, mlir::ValueRange arguments);

    mlir::OpBuilder builder;
    mlir::Location loc;

  private:
    mlir::ModuleOp module_;
};

}  // namespace memside::codegen
