// From MLIR to machine code.
#pragma once

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/MLIRContext.h>
#include <mlir/IR/OwningOpRef.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "conv/schedule.h"

namespace llvm {
class MemoryBuffer;
class TargetMachine;
}  // namespace llvm

namespace memside::codegen {

// A context with the dialects that kernels are built of. It starts no thread.
std::unique_ptr<mlir::MLIRContext> make_context();

// To the LLVM dialect, in place; memrefs become bare pointers.
Status lower(mlir::ModuleOp module);

// The module of a lowered one.
Result<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module, llvm::LLVMContext& context);

// The target of all compilations, independent of the machine that compiles.
Result<std::unique_ptr<llvm::TargetMachine>> make_target_machine(conv::Target target);

// Marks the functions for the target and simplifies them.
void optimise(llvm::Module& module, conv::Target target, llvm::TargetMachine& machine);

// An ELF object in memory.
Result<std::unique_ptr<llvm::MemoryBuffer>> emit_object(llvm::Module& module,
                                                        llvm::TargetMachine& machine);
Result<std::string> emit_assembly(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace memside::codegen
