// The passes of the front: from what others write to `decode`.
#ifndef MEMSIDE_COMPILER_FRONT_PASSES
#define MEMSIDE_COMPILER_FRONT_PASSES

include "mlir/Pass/PassBase.td"

def LinalgToDecode : Pass<"linalg-to-decode", "::mlir::ModuleOp"> {
  let summary = "Finds the operations of a decode step in linalg on tensors";
  let description = [{
    Matches what a decoder layer consists of: products with weights, products with caches (QK^T and SV),
    softmax whole or taken apart, RMS norms, rotation, gates and sums. Functions get the signature of
    `decode`: caches as !decode.cache, vectors with named axes; weights, which are arguments, become
    decode.weight. Operations that are already of `decode` stay. What matches nothing is an error at
    its location.
  }];
  let dependentDialects = ["::memside::decode::DecodeDialect"];
}

#endif
