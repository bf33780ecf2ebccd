// The dialects and passes that every tool of the compiler knows.
#pragma once

#include <mlir/IR/DialectRegistry.h>

namespace memside::compiler {

// decode, pim, pnm, and those of MLIR that programs come in: func, arith, math, tensor, linalg.
void register_dialects(mlir::DialectRegistry& registry);

// The passes of passes/Passes.td, by their names.
void register_passes();

}  // namespace memside::compiler
