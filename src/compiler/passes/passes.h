// The passes of Passes.td, and the order in which a program is made.
#pragma once

#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/Pass/Pass.h>

#include "compiler/decode/decode.h"
#include "compiler/pim/pim.h"

namespace memside::compiler {

#define GEN_PASS_DECL
#include <compiler/passes/Passes.h.inc>
#define GEN_PASS_REGISTRATION
#include <compiler/passes/Passes.h.inc>

}  // namespace memside::compiler
