// The dialect `pim` (Dialect.td, Ops.td, AimOps.td, HubOps.td) in C++.
#pragma once

#include <mlir/Bytecode/BytecodeOpInterface.h>
#include <mlir/IR/Builders.h>
#include <mlir/IR/BuiltinTypes.h>
#include <mlir/IR/Dialect.h>
#include <mlir/IR/OpDefinition.h>
#include <mlir/IR/OpImplementation.h>
#include <mlir/IR/RegionKindInterface.h>
#include <mlir/IR/SymbolTable.h>
#include <mlir/Interfaces/SideEffectInterfaces.h>

#include <optional>

#include "compiler/decode/decode.h"
#include "pim/dynamic/hub_instruction.h"
#include "pim/instruction_table.h"

namespace memside::pimir {

// What the interfaces verify: instructions.cpp.
mlir::LogicalResult verify_instruction(mlir::Operation* op);
mlir::LogicalResult verify_hub(mlir::Operation* op);

}  // namespace memside::pimir

// Each needs those before it.
// clang-format off
#include <compiler/pim/Dialect.h.inc>
#include <compiler/pim/Interfaces.h.inc>
#define GET_OP_CLASSES
#include <compiler/pim/Ops.h.inc>
// clang-format on

namespace memside::pimir {

// An operand as loops move it. A constant has no steps.
struct Moved {
    struct Step {
        mlir::BlockArgument iteration;  // of a pim.loop or pim.dyn_loop
        std::int64_t step = 0;
    };
    std::int64_t base = 0;
    llvm::SmallVector<Step, 2> steps;
    mlir::FlatSymbolRefAttr region;  // null: no virtual row
};

// Of an arith.constant or a pim.dyn_modi; nothing of another value.
std::optional<Moved> moved(mlir::Value value);

// The fields that are operands of an instruction's operation, in their order: of gpr, gpr2, row,
// column, gbuf and out those that the opcode has.
llvm::ArrayRef<pim::Field> moved_fields(pim::Opcode opcode);

// The instruction with operands at their bases; its row is 0 where it is virtual.
pim::Instruction instruction_of(AimOp op);
// Tokens of an opsize; 0 where the opsize is fixed.
std::uint32_t opsize_span_of(AimOp op);

// The members of HubInstruction that are operands, in their order.
llvm::SmallVector<std::uint32_t pim::HubInstruction::*, 3> moved_members(pim::HubOp op);

// The hub instruction with operands at their bases. `region` and `table` stay 0: see below.
pim::HubInstruction instruction_of(HubOp op);
// The region that it names; null where it has none.
mlir::FlatSymbolRefAttr region_of(HubOp op);
// The divisors of its angles, by pair; null where it has none.
mlir::DenseF32ArrayAttr divisors_of(HubOp op);

// The depth of the loop with this iteration seen from an operation in it: 1 is the innermost around
// it. 0: no loop around the operation.
unsigned depth(mlir::Operation* op, mlir::BlockArgument iteration);

}  // namespace memside::pimir
