// A kernel of a model's layer as a function of `decode` operations.
#pragma once

#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/OwningOpRef.h>

#include "compiler/compiler.h"

namespace memside::compiler {

// A module with one function named after the kernel. Its arguments are, of these, what the kernel
// reads: the layer's input x [channel], the queries [head, channel] or weights [head, token], the
// caches of keys and values. Weights are decode.weight of their names in GGUF files.
mlir::OwningOpRef<mlir::ModuleOp> build_from_model(mlir::MLIRContext& context,
                                                   const LayerDescription& layer,
                                                   KernelKind kernel);

}  // namespace memside::compiler
