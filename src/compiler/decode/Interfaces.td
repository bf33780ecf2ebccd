// What all operations of `decode` have in common.
#ifndef MEMSIDE_COMPILER_DECODE_INTERFACES
#define MEMSIDE_COMPILER_DECODE_INTERFACES

include "mlir/IR/Interfaces.td"

def Decode_StepOp : OpInterface<"StepOp"> {
  let cppNamespace = "::memside::decode";
  let description = [{
    What passes record on every operation: its name in the execution table, what is split over what,
    how the parts come together, and the modules that work on it. Absent until a pass has decided.
  }];
  let methods = [
    InterfaceMethod<"", "::memside::decode::OpTypeAttr", "getOpTypeAttr", (ins), "return $_op.getOpTypeAttr();">,
    InterfaceMethod<"", "void", "setOpTypeAttr", (ins "::memside::decode::OpTypeAttr":$value),
                    "$_op.setOpTypeAttr(value);">,
    InterfaceMethod<"", "::memside::decode::PartitioningAttr", "getPartitioningAttr", (ins), "return $_op.getPartitioningAttr();">,
    InterfaceMethod<"", "void", "setPartitioningAttr", (ins "::memside::decode::PartitioningAttr":$value),
                    "$_op.setPartitioningAttr(value);">,
    InterfaceMethod<"", "::memside::decode::CommunicationAttr", "getCommunicationAttr", (ins), "return $_op.getCommunicationAttr();">,
    InterfaceMethod<"", "void", "setCommunicationAttr", (ins "::memside::decode::CommunicationAttr":$value),
                    "$_op.setCommunicationAttr(value);">,
    InterfaceMethod<"", "::mlir::DenseI64ArrayAttr", "getModulesAttr", (ins), "return $_op.getModulesAttr();">,
    InterfaceMethod<"", "void", "setModulesAttr", (ins "::mlir::DenseI64ArrayAttr":$value),
                    "$_op.setModulesAttr(value);">,
    StaticInterfaceMethod<"What the operation is in the execution table", "::memside::decode::OpType",
                          "getKind">
  ];
}

#endif
