// The passes of pnm/Passes.td.
#pragma once

#include <mlir/IR/BuiltinOps.h>
#include <mlir/Pass/Pass.h>

#include "compiler/decode/decode.h"
#include "compiler/pnm/pnm.h"

namespace memside::compiler {

#define GEN_PASS_DECL
#include <compiler/pnm/Passes.h.inc>
#define GEN_PASS_REGISTRATION
#include <compiler/pnm/Passes.h.inc>

}  // namespace memside::compiler
