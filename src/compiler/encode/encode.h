// A pim.program as the program that the dispatcher runs.
#pragma once

#include <mlir/IR/BuiltinOps.h>

#include <optional>

#include "compiler/pim/pim.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

// Nothing with a diagnostic: a region without an address, or what pim::validate() refuses.
std::optional<pim::DynamicProgram> encode(pimir::ProgramOp program);

}  // namespace memside::compiler
