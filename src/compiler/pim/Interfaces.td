// Instructions of the device and of the hub, read in one way.
#ifndef MEMSIDE_COMPILER_PIM_INTERFACES
#define MEMSIDE_COMPILER_PIM_INTERFACES

include "mlir/IR/Interfaces.td"

def Pim_AimOp : OpInterface<"AimOp"> {
  let cppNamespace = "::memside::pimir";
  let description = [{
    An instruction of the table in pim/instruction_table.h. Its operands are the moved fields that the
    table gives it, in the order of moved_fields() (compiler/pim/pim.h); the others are attributes.
  }];
  let methods = [StaticInterfaceMethod<"The opcode", "::memside::pim::Opcode", "getOpcode">];
  let verify = "return ::memside::pimir::verify_instruction($_op);";
}

def Pim_HubOp : OpInterface<"HubOp"> {
  let cppNamespace = "::memside::pimir";
  let description = [{
    An instruction of pim/dynamic/hub_instruction.h. Its operands are those of gpr, gpr2 and gpr_out
    that it has, in that order; a region is a symbol; everything else is an attribute.
  }];
  let methods = [StaticInterfaceMethod<"The operation", "::memside::pim::HubOp", "getHub">];
  let verify = "return ::memside::pimir::verify_hub($_op);";
}

#endif
