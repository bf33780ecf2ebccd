// The passes from a decode step to programs of DRAM-PIM.
#ifndef MEMSIDE_COMPILER_PASSES
#define MEMSIDE_COMPILER_PASSES

include "mlir/Pass/PassBase.td"

def DecodePartition : Pass<"decode-partition", "::mlir::func::FuncOp"> {
  let summary = "Splits a decode step over modules and records who does what";
  let description = [{
    Records op_type, partitioning, communication and modules on every operation. Attention is split by
    tokens over the channels of a module (tcp) or head by head (hfp). Over `tensor` modules heads and
    the outputs of linear layers are split evenly, and the inputs of those layers that read split
    values; a sum over modules follows these. The function becomes the part of one module. With more
    modules than KV heads, those of a head share its tokens in blocks, gather its queries and combine
    what each made of its tokens. With stages of layers (`pipeline`) the function is told which layers
    its stage has: it names its own by decode.layer, of decode.layers.
  }];
  let options = [
    Option<"heads", "heads", "std::string", "\"tcp\"", "hfp or tcp">,
    Option<"tensor", "tensor", "unsigned", "1", "Modules that share a layer">,
    Option<"first_module", "first-module", "unsigned", "0", "The first of them, of the first stage">,
    Option<"pipeline", "pipeline", "unsigned", "1", "Stages of layers">
  ];
}

def DecodeTile : Pass<"decode-tile", "::mlir::func::FuncOp"> {
  let summary = "Fuses attention along the tokens, and gives values their registers";
  let description = [{
    qk, softmax and sv become one decode.attention, whose loop over blocks of tokens they share. Every
    tensor gets general-purpose registers, attention a block size. Scores that the function returns,
    and weights that it is given, have none: they lie in the banks. Needs decode-partition.
  }];
  let options = [
    Option<"channels", "channels", "unsigned", "32", "Channels of a module">,
    Option<"row_reuse", "row-reuse", "bool", "true", "Query heads share an open row">,
    Option<"accumulators", "accumulators", "unsigned", "64", "Entries of the output buffer">,
    Option<"block_tokens", "block-tokens", "unsigned", "0", "0: as many as the registers hold">
  ];
}

def DecodeFuseAttention : Pass<"decode-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "One decode.attention of qk, softmax and sv";
  let description = [{ Where the scores and the weights have no other use; all else stays. }];
}

def ConvertDecodeToPim : Pass<"convert-decode-to-pim", "::mlir::ModuleOp"> {
  let summary = "Writes the instructions of a tiled decode step";
  let description = [{
    Every function becomes a pim.program with an entry for each operation (of attention: for each round
    of heads). Its regions have no addresses yet.
  }];
  let dependentDialects = ["::memside::pimir::PimDialect", "::mlir::arith::ArithDialect"];
}

def PimAssignAddresses : Pass<"pim-assign-addresses", "::memside::pimir::ProgramOp"> {
  let summary = "Gives regions their rows: static for one context, or virtual (dpa)";
  let description = [{
    Weights lie from row 0 on. dpa: keys and values are per-request regions, translated in chunks of
    1 MiB. static: they have the rows of `max_context` tokens after the weights.
  }];
  let options = [
    Option<"access", "access", "std::string", "\"dpa\"", "static or dpa">,
    Option<"max_context", "max-context", "std::uint64_t", "0", "Tokens that static reserves for">
  ];
}

def PimOrderCommands : Pass<"pim-order-commands", "::memside::pimir::ProgramOp"> {
  let summary = "Makes runs of commands of one kind: results are read late";
  let description = [{
    A loop whose statements touch different accumulators and GBuf entries in every iteration becomes a
    loop for each statement. A static controller then changes modes once a run, not once a score.
  }];
}

def PimUnrollStatic : Pass<"pim-unroll-static", "::memside::pimir::ProgramOp"> {
  let summary = "Unrolls all loops for one context, as AiM executes programs";
  let description = [{
    Without loops and virtual rows the program serves requests of `context` tokens alone, and grows with
    them. Needs static addresses.
  }];
  let options = [Option<"context", "context", "std::uint64_t", "0", "Tokens of the request">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif
