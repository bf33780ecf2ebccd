// The passes of front/Passes.td.
#pragma once

#include <mlir/IR/BuiltinOps.h>
#include <mlir/Pass/Pass.h>

#include "compiler/decode/decode.h"

namespace memside::compiler {

#define GEN_PASS_DECL
#include <compiler/front/Passes.h.inc>
#define GEN_PASS_REGISTRATION
#include <compiler/front/Passes.h.inc>

}  // namespace memside::compiler
