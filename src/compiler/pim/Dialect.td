// The dialect `pim`: what a module of DRAM-PIM executes, an operation for each instruction.
#ifndef MEMSIDE_COMPILER_PIM_DIALECT
#define MEMSIDE_COMPILER_PIM_DIALECT

include "compiler/decode/Dialect.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Pim_Dialect : Dialect {
  let name = "pim";
  let cppNamespace = "::memside::pimir";
  let summary = "Programs of AiM instructions under loops that follow a request's tokens";
  let description = [{
    A pim.program holds regions of DRAM rows and the execution table. Instructions have operands that
    loops move (pim.dyn_modi) or constants, and the rest as attributes. Numbers and ranges are those of
    pim/instruction_table.h and pim/dynamic/hub_instruction.h, from which the verifiers take them.
  }];
  let dependentDialects = ["::memside::decode::DecodeDialect"];
}

class Pim_Op<string mnemonic, list<Trait> traits = []> : Op<Pim_Dialect, mnemonic, traits>;

#endif
