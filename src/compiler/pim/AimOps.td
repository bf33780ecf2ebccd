// The AiM instructions, an operation each.
#ifndef MEMSIDE_COMPILER_PIM_AIMOPS
#define MEMSIDE_COMPILER_PIM_AIMOPS

include "compiler/pim/Dialect.td"
include "compiler/pim/Interfaces.td"

class Pim_Aim<string mnemonic, dag inputs, string format> : Pim_Op<mnemonic, [
    DeclareOpInterfaceMethods<Pim_AimOp>]> {
  let arguments = inputs;
  let assemblyFormat = format # " attr-dict";
  let extraClassDefinition = [{
    ::memside::pim::Opcode $cppClass::getOpcode() { return ::memside::pim::Opcode::}] # mnemonic # [{; }
  }];
}

// The mask's bit i addresses channel 31 - i of the device. opsize N, or
// opsize 1 per S: one for each S tokens of the current piece, rounded up.

def Pim_WrSbkOp : Pim_Aim<"wr_sbk",
    (ins Index:$gpr, Index:$row, Index:$col, Int:$mask, Int:$bank),
    "`gpr` $gpr `row` $row `col` $col `mask` $mask `bank` $bank"> {
  let summary = "Writes a GPR to one column of one bank";
}
def Pim_WrAbkOp : Pim_Aim<"wr_abk",
    (ins Index:$gpr, Index:$row, Index:$col, Int:$mask),
    "`gpr` $gpr `row` $row `col` $col `mask` $mask"> {
  let summary = "Writes a GPR to one column of all banks and closes their rows";
}
def Pim_WrGbOp : Pim_Aim<"wr_gb",
    (ins Index:$gpr, Index:$gb, Int:$mask, Int:$opsize, OptionalAttr<Int>:$opsize_span),
    "`gpr` $gpr `gb` $gb `mask` $mask `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Writes GPRs to entries of the global buffer";
}
def Pim_WrBiasOp : Pim_Aim<"wr_bias", (ins Index:$gpr, Index:$out, Int:$mask),
    "`gpr` $gpr `out` $out `mask` $mask"> {
  let summary = "Sets the accumulators of all banks, one value each";
}
def Pim_RdMacOp : Pim_Aim<"rd_mac", (ins Index:$gpr, Index:$out, Int:$mask),
    "`gpr` $gpr `out` $out `mask` $mask"> {
  let summary = "Reads the accumulators of all banks into GPRs, one for each channel";
}
def Pim_RdAfOp : Pim_Aim<"rd_af", (ins Index:$gpr, Index:$out, Int:$mask),
    "`gpr` $gpr `out` $out `mask` $mask"> {
  let summary = "Reads the results of the activation function into GPRs, one for each channel";
}
def Pim_RdSbkOp : Pim_Aim<"rd_sbk",
    (ins Index:$gpr, Index:$row, Index:$col, Int:$mask, Int:$bank),
    "`gpr` $gpr `row` $row `col` $col `mask` $mask `bank` $bank"> {
  let summary = "Reads one column of one bank into GPRs, one for each channel";
}
def Pim_CopyBkgbOp : Pim_Aim<"copy_bkgb",
    (ins Index:$row, Index:$col, Index:$gb, Int:$mask, Int:$bank, Int:$opsize,
         OptionalAttr<Int>:$opsize_span),
    "`row` $row `col` $col `gb` $gb `mask` $mask "
    "`bank` $bank `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Copies columns of one bank to the global buffer";
}
def Pim_CopyGbbkOp : Pim_Aim<"copy_gbbk",
    (ins Index:$row, Index:$col, Index:$gb, Int:$mask, Int:$bank, Int:$opsize,
         OptionalAttr<Int>:$opsize_span),
    "`row` $row `col` $col `gb` $gb `mask` $mask "
    "`bank` $bank `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Copies the global buffer to columns of one bank";
}
def Pim_MacSbkOp : Pim_Aim<"mac_sbk",
    (ins Index:$row, Index:$col, Index:$gb, Index:$out, Int:$mask, Int:$bank, Int:$opsize,
         OptionalAttr<Int>:$opsize_span),
    "`row` $row `col` $col `gb` $gb `out` $out `mask` $mask "
    "`bank` $bank `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Multiplies columns of one bank with the global buffer and accumulates";
}
def Pim_MacAbkOp : Pim_Aim<"mac_abk",
    (ins Index:$row, Index:$col, Index:$gb, Index:$out, Int:$mask, Int:$opsize,
         OptionalAttr<Int>:$opsize_span),
    "`row` $row `col` $col `gb` $gb `out` $out `mask` $mask `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Multiplies columns of all banks with the global buffer and accumulates";
}
def Pim_AfOp : Pim_Aim<"af", (ins Index:$out, Int:$mask), "`out` $out `mask` $mask"> {
  let summary = "Applies the activation function to the accumulators of all banks";
}
def Pim_EwmulOp : Pim_Aim<"ewmul",
    (ins Index:$row, Index:$col, Int:$mask, Int:$opsize, OptionalAttr<Int>:$opsize_span),
    "`row` $row `col` $col `mask` $mask `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Multiplies columns of banks 0 and 1 of each group into its bank 2";
}
def Pim_EwaddOp : Pim_Aim<"ewadd",
    (ins Index:$gpr, Index:$gpr2, Int:$opsize, OptionalAttr<Int>:$opsize_span),
    "`gpr` $gpr `gpr2` $gpr2 `opsize` $opsize (`per` $opsize_span^)?"> {
  let summary = "Adds GPRs: gpr + i becomes gpr + i plus gpr2 + i";
}
def Pim_SyncOp : Pim_Aim<"sync", (ins), ""> {
  let summary = "Waits for all channels";
}
def Pim_WriteCfrOp : Pim_Aim<"write_cfr", (ins Int:$config, Int:$value),
    "$config `=` $value"> {
  let summary = "Sets a configuration register";
}

#endif
