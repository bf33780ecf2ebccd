// The operations of `pnm`.
#ifndef MEMSIDE_COMPILER_PNM_OPS
#define MEMSIDE_COMPILER_PNM_OPS

include "compiler/pnm/Dialect.td"

def Pnm_ProgramOp : Pnm_Op<"program", [
    Symbol, IsolatedFromAbove, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "The kernels of a layer, one after the other";
  let description = [{ page_tokens: of a page whose K and V lie together, and that has one digest. }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$model, Int:$page_tokens);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `model` $model `page_tokens` $page_tokens attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

class Pnm_Kernel<string mnemonic, dag inputs, string format>
    : Pnm_Op<mnemonic, [HasParent<"ProgramOp">]> {
  let arguments = inputs;
  let assemblyFormat = format # " attr-dict";
  let hasVerifier = 1;
}

def Pnm_AppendOp : Pnm_Kernel<"append",
    (ins Int:$kv_heads, Int:$head_dim, DefaultValuedAttr<Int, "16">:$kv_bits, UnitAttr:$digest),
    "$kv_heads `x` $head_dim (`with_digest` $digest^)?"> {
  let summary = "Writes the new token's K and V: pnm.append 8 x 128";
  let description = [{ with_digest: and the digest of its page, once the page is full. }];
}
def Pnm_ScoreOp : Pnm_Kernel<"score",
    (ins Int:$query_heads, Int:$kv_heads, Int:$head_dim, DefaultValuedAttr<Int, "16">:$digest_bits),
    "$query_heads `over` $kv_heads `x` $head_dim"> {
  let summary = "Scores every page of the request: pnm.score 32 over 8 x 128";
}
def Pnm_TopKOp : Pnm_Kernel<"top_k", (ins Int:$k, Int:$kv_heads), "$k `of` $kv_heads"> {
  let summary = "The k best pages for each KV head: pnm.top_k 64 of 8";
}
def Pnm_AttentionOp : Pnm_Kernel<"attention",
    (ins Int:$query_heads, Int:$kv_heads, Int:$head_dim, DefaultValuedAttr<Int, "16">:$kv_bits,
         DefaultValuedAttr<Int, "0">:$window, OptionalAttr<Int>:$pages),
    "$query_heads `over` $kv_heads `x` $head_dim (`pages` $pages^)?"> {
  let summary = "Attention over all tokens, or over so many selected pages of each KV head";
}

#endif
