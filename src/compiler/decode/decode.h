// The dialect `decode` (Dialect.td, Ops.td) in C++.
#pragma once

#include <mlir/Bytecode/BytecodeOpInterface.h>
#include <mlir/IR/Builders.h>
#include <mlir/IR/BuiltinTypes.h>
#include <mlir/IR/Dialect.h>
#include <mlir/IR/OpDefinition.h>
#include <mlir/IR/OpImplementation.h>
#include <mlir/IR/TensorEncoding.h>
#include <mlir/Interfaces/SideEffectInterfaces.h>

#include <optional>

namespace memside::decode {

// Whether a type is a ranked tensor with #decode.axes.
bool has_axes(mlir::Type type);

}  // namespace memside::decode

// Each needs those before it.
// clang-format off
#include <compiler/decode/Dialect.h.inc>
#include <compiler/decode/Enums.h.inc>
#define GET_ATTRDEF_CLASSES
#include <compiler/decode/Attributes.h.inc>
#define GET_TYPEDEF_CLASSES
#include <compiler/decode/Types.h.inc>
#include <compiler/decode/Interfaces.h.inc>
#define GET_OP_CLASSES
#include <compiler/decode/Ops.h.inc>
// clang-format on

namespace memside::decode {

// The names of a tensor's axes. The type must have them.
llvm::ArrayRef<Axis> axes(mlir::Type type);
// The size of an axis: mlir::ShapedType::kDynamic where it is `?`, nothing where there is no such.
std::optional<std::int64_t> extent(mlir::Type type, Axis axis);
// Values of one request: the product of all axes but `batch`; kDynamic when one is `?`.
std::int64_t values_per_request(mlir::Type type);

// An operation with what it is in the execution table; the rest is for passes to record.
template <typename Op, typename... Arguments>
Op create(mlir::OpBuilder& builder, mlir::Location location, mlir::Type result,
          Arguments... arguments) {
    const auto kind = OpTypeAttr::get(builder.getContext(), Op::getKind());
    return builder.create<Op>(location, result, arguments..., kind, PartitioningAttr(),
                              CommunicationAttr(), mlir::DenseI64ArrayAttr());
}

// A tensor type with named axes.
mlir::RankedTensorType named_tensor(llvm::ArrayRef<std::int64_t> shape, llvm::ArrayRef<Axis> names,
                                    mlir::Type element);

}  // namespace memside::decode
