// pnm.programs as the text that the simulation reads (pnm/layer_program.h).
#pragma once

#include <mlir/IR/BuiltinOps.h>

#include <optional>
#include <string>

namespace memside::compiler {

// A layer that selects pages, one that attends to all tokens, or both. Nothing, with a diagnostic,
// where the module has no such program, two of a kind, or one that is no layer.
std::optional<std::string> emit_layers(mlir::ModuleOp module);

}  // namespace memside::compiler
