// The dialect `pnm` (Dialect.td, Ops.td) in C++.
#pragma once

#include <mlir/Bytecode/BytecodeOpInterface.h>
#include <mlir/IR/Builders.h>
#include <mlir/IR/Dialect.h>
#include <mlir/IR/OpDefinition.h>
#include <mlir/IR/OpImplementation.h>
#include <mlir/IR/RegionKindInterface.h>
#include <mlir/IR/SymbolTable.h>

#include <compiler/pnm/Dialect.h.inc>
#define GET_OP_CLASSES
#include <compiler/pnm/Ops.h.inc>
