// Programs, regions, loops and moved operands of `pim`.
#ifndef MEMSIDE_COMPILER_PIM_OPS
#define MEMSIDE_COMPILER_PIM_OPS

include "compiler/pim/AimOps.td"
include "compiler/pim/Dialect.td"
include "compiler/pim/HubOps.td"

def Pim_ProgramOp : Pim_Op<"program", [
    Symbol, SymbolTable, IsolatedFromAbove, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "A program of one module: its regions, then its execution table";
  let description = [{
    channels: those that the low bits of a mask address. chunk_rows: rows of a chunk of per-request
    regions, in all channels at once. max_tokens: of a request; 0: any number. block_tokens: of the
    outermost token loops, for statistics; 0: none. stage, stages, first_layer, layers: what a
    pipeline's stage has; 0 layers: not said. token_modules: modules that share a request's tokens in
    blocks of token_block.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$model, StrAttr:$target,
                       DefaultValuedAttr<Int, "32">:$channels,
                       DefaultValuedAttr<Int, "1">:$chunk_rows,
                       DefaultValuedAttr<Int, "0">:$max_tokens,
                       DefaultValuedAttr<Int, "0">:$block_tokens,
                       DefaultValuedAttr<Int, "0">:$stage,
                       DefaultValuedAttr<Int, "1">:$stages,
                       DefaultValuedAttr<Int, "0">:$first_layer,
                       DefaultValuedAttr<Int, "0">:$layers,
                       DefaultValuedAttr<Int, "1">:$token_modules,
                       DefaultValuedAttr<Int, "0">:$token_block);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `model` $model `target` $target attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "llvm::StringRef":$name, "llvm::StringRef":$model,
                                 "llvm::StringRef":$target)>];
}

def Pim_RegionOp : Pim_Op<"region", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "Rows in all channels of the program at once";
  let description = [{
    per_request: keys or values of a KV head, or of heads in lockstep, whose virtual rows the request's
    table translates in chunks; rows is how many the program may name, 0 for any number. Otherwise
    weights: `rows` physical rows from first_row on, once an address is assigned. span_tokens tokens of
    a request take span_rows rows more; 0: only the program's appends say so.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DefaultValuedAttr<Int, "0">:$rows,
                       UnitAttr:$per_request, OptionalAttr<Int>:$first_row,
                       DefaultValuedAttr<Int, "0">:$span_tokens,
                       DefaultValuedAttr<Int, "0">:$span_rows);
  let assemblyFormat = [{
    $sym_name (`rows` $rows^)? (`per_request` $per_request^)? (`at` $first_row^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Pim_EntryOp : Pim_Op<"entry", [
    Symbol, HasParent<"ProgramOp">, SingleBlock, NoTerminator, NoRegionArguments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A row of the execution table, with its instructions";
  let description = [{
    A step of a request runs the entries in order. shares: the instructions of another entry, with
    region_base added to the place of every region that they name among the program's regions: one
    code serves all heads and layers. gpr, tiles, gpr_out, parts: the registers that modules exchange
    when the instructions are done (pim::ExecutionEntry). A mask of 0 (channel_mask) is one that addresses no channel.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<FlatSymbolRefAttr>:$items_of,
                       Decode_OpTypeAttr:$op_type, Decode_PartitioningAttr:$partitioning,
                       Decode_CommunicationAttr:$communication,
                       DefaultValuedAttr<Int, "0">:$module,
                       DefaultValuedAttr<Int, "0">:$channel_mask,
                       DefaultValuedAttr<Int, "0">:$region_base,
                       DefaultValuedAttr<Int, "0">:$gpr, DefaultValuedAttr<Int, "0">:$tiles,
                       DefaultValuedAttr<Int, "0">:$gpr_out, DefaultValuedAttr<Int, "1">:$parts);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `op_type` $op_type `partitioning` $partitioning `communication` $communication
    (`shares` $items_of^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "llvm::StringRef":$name, "::memside::decode::OpType":$op_type,
                                 "::memside::decode::Partitioning":$partitioning,
                                 "::memside::decode::Communication":$communication)>];
}

// A loop; its block has one argument, the iteration from 0 on.
class Pim_Loop<string mnemonic, string amount> : Pim_Op<mnemonic, [SingleBlock, NoTerminator]> {
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "std::int64_t":$amount)>];
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getIteration() { return getBody().getArgument(0); }
  }];
}

def Pim_LoopOp : Pim_Loop<"loop", "count"> {
  let summary = "A loop with a fixed count: pim.loop %i count 4 { .. }";
  let arguments = (ins Int:$count);
}

def Pim_DynLoopOp : Pim_Loop<"dyn_loop", "span"> {
  let summary = "A loop over pieces of `span` tokens (Dyn-Loop): pim.dyn_loop %i span 512 { .. }";
  let description = [{
    Over the pieces of the piece around it, at the outside the request's tokens [0, T): as many
    iterations as there are pieces, the last one shorter.
  }];
  let arguments = (ins Int:$span);
}

def Pim_DynModiOp : Pim_Op<"dyn_modi", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "An operand that loops move (Dyn-Modi): pim.dyn_modi 8 + %i * 4 in @keys";
  let description = [{
    base + sum of step x iteration, of loops around it. in: a virtual row of a region, to be translated
    by the request's table or to start at the region's first row.
  }];
  let arguments = (ins Int:$base, Variadic<Index>:$iterations, DenseI64ArrayAttr:$steps,
                       OptionalAttr<FlatSymbolRefAttr>:$region);
  let results = (outs Index:$result);
  let assemblyFormat = "$base custom<Steps>($iterations, $steps) (`in` $region^)? attr-dict";
  let hasVerifier = 1;
}

#endif
