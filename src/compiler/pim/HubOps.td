// The instructions of the hub's extra processing unit, an operation each. Names of attributes and
// operands are the fields of pim::HubInstruction, whose header says what they do.
#ifndef MEMSIDE_COMPILER_PIM_HUBOPS
#define MEMSIDE_COMPILER_PIM_HUBOPS

include "compiler/pim/Dialect.td"
include "compiler/pim/Interfaces.td"

class Pim_Hub<string op, dag inputs, string format> : Pim_Op<"hub." # op, [
    DeclareOpInterfaceMethods<Pim_HubOp>]> {
  let arguments = inputs;
  let assemblyFormat = format # " attr-dict";
  let extraClassDefinition = [{
    ::memside::pim::HubOp $cppClass::getHub() { return ::memside::pim::HubOp::}] # op # [{; }
  }];
}

class Else<int value> : DefaultValuedAttr<Int, !cast<string>(value)>;
defvar One = DefaultValuedAttr<F32Attr, "1.0f">;

def Pim_HubSoftmaxStartOp : Pim_Hub<"softmax_start",
    (ins Int:$state, Else<0>:$first_query, Int:$queries, Int:$head_dim), ""> {
  let summary = "Queries of a state have seen no token";
}
def Pim_HubSoftmaxBlockOp : Pim_Hub<"softmax_block",
    (ins Index:$gpr, Index:$gpr_out, Int:$state, Else<0>:$first_query, Int:$queries,
         Else<0>:$query_stride, Else<1>:$tile_stride, Else<0>:$out_query_stride, Else<1>:$classes,
         Else<0>:$class_stride, Else<16>:$granule, Else<0>:$window, Else<0>:$first_token,
         Else<0>:$tokens, One:$scale),
    "`gpr` $gpr `out` $gpr_out"> {
  let summary = "Softmax goes on with the scores of the current piece, which become weights";
}
def Pim_HubAccumulateOp : Pim_Hub<"accumulate",
    (ins Index:$gpr, Int:$state, Else<0>:$first_query, Int:$queries, Else<0>:$query_stride,
         Else<1>:$tile_stride, Else<1>:$parts, Else<0>:$part_stride, Int:$head_dim),
    "`gpr` $gpr"> {
  let summary = "Adds partial vectors to the outputs of a state";
}
def Pim_HubSoftmaxFinishOp : Pim_Hub<"softmax_finish",
    (ins Index:$gpr_out, Int:$state, Else<0>:$first_query, Int:$queries,
         Else<0>:$out_query_stride, Int:$head_dim, Else<0>:$choice),
    "`out` $gpr_out"> {
  let summary = "Outputs of a state over their sums of weights; with choice 1 a tile for combine too";
}
def Pim_HubCombineOp : Pim_Hub<"combine",
    (ins Index:$gpr, Index:$gpr_out, Int:$queries, Else<0>:$query_stride, Else<0>:$out_query_stride,
         Else<1>:$parts, Else<0>:$part_stride, Int:$head_dim),
    "`gpr` $gpr `out` $gpr_out"> {
  let summary = "One softmax of parts of the tokens, as softmax_finish with choice 1 left them";
}
def Pim_HubReduceOp : Pim_Hub<"reduce",
    (ins Index:$gpr, Index:$gpr2, Index:$gpr_out, Else<1>:$parts, Else<0>:$part_stride, Else<0>:$choice,
         Int:$tiles),
    "`gpr` $gpr `gpr2` $gpr2 `out` $gpr_out"> {
  let summary = "Sums of partial tiles; with choice 1 plus those at gpr2";
}
def Pim_HubRmsNormOp : Pim_Hub<"rms_norm",
    (ins Index:$gpr, Index:$gpr2, Index:$gpr_out, Int:$values, Else<1>:$rows, F32Attr:$scale),
    "`gpr` $gpr `gpr2` $gpr2 `out` $gpr_out"> {
  let summary = "Root mean square norm of rows of values, weights at gpr2; scale is the eps";
}
def Pim_HubRopeOp : Pim_Hub<"rope",
    (ins Index:$gpr, Else<1>:$heads, Int:$head_dim, Else<0>:$choice,
         OptionalAttr<DenseF32ArrayAttr>:$divisors, One:$scale, F32Attr:$theta),
    "`gpr` $gpr"> {
  let summary = "Rotates vectors in place; choice is the pim::RopeStyle; divisors of angles by pair";
}
def Pim_HubGateOp : Pim_Hub<"gate",
    (ins Index:$gpr, Index:$gpr2, Index:$gpr_out, Int:$tiles, Else<0>:$choice),
    "`gpr` $gpr `gpr2` $gpr2 `out` $gpr_out"> {
  let summary = "f(gpr) x gpr2; choice is the pim::GateFunction";
}
def Pim_HubAddOp : Pim_Hub<"add", (ins Index:$gpr, Index:$gpr2, Index:$gpr_out, Int:$tiles),
    "`gpr` $gpr `gpr2` $gpr2 `out` $gpr_out"> {
  let summary = "gpr + gpr2";
}
def Pim_HubFillOp : Pim_Hub<"fill", (ins Index:$gpr_out, Int:$tiles, One:$scale),
    "`out` $gpr_out"> {
  let summary = "Every lane becomes `scale`";
}
def Pim_HubCopyOp : Pim_Hub<"copy", (ins Index:$gpr, Index:$gpr_out, Int:$tiles),
    "`gpr` $gpr `out` $gpr_out"> {
  let summary = "Copies tiles";
}
def Pim_HubAppendKeyOp : Pim_Hub<"append_key",
    (ins Index:$gpr, FlatSymbolRefAttr:$region, Else<0>:$query_stride, Int:$head_dim,
         Else<1>:$heads, Else<1>:$ways),
    "`gpr` $gpr `to` $region"> {
  let summary = "The new token's keys to their place";
}
def Pim_HubAppendValueOp : Pim_Hub<"append_value",
    (ins Index:$gpr, Index:$gpr2, FlatSymbolRefAttr:$region, Else<0>:$query_stride, Int:$head_dim,
         Else<1>:$heads, Else<1>:$ways),
    "`gpr` $gpr `gpr2` $gpr2 `to` $region"> {
  let summary = "The new token's values to their place; room for tiles of its neighbours at gpr2";
}

#endif
