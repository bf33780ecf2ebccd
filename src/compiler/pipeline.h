// The passes of a request, in order, and what is emitted at their end.
#pragma once

#include <mlir/IR/BuiltinOps.h>
#include <mlir/Pass/PassManager.h>

#include <optional>
#include <string>

#include "compiler/compiler.h"

namespace memside::compiler {

mlir::LogicalResult add_passes(const CompileRequest& request, mlir::PassManager& manager);

// The program as text or binary; nothing, with a diagnostic, where it is not complete.
std::optional<std::string> emit_program(const CompileRequest& request, mlir::ModuleOp module);

}  // namespace memside::compiler
