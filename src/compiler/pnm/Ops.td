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
    $sym_name `model` $model `page_tokens` custom<Size>($page_tokens) attr-dict-with-keyword $body
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
    (ins Int:$kv_heads, Int:$head_dim, Int:$kv_bits, OptionalAttr<Int>:$digest_bits),
    [{custom<Size>($kv_heads) `x` custom<Size>($head_dim) `bits` custom<Size>($kv_bits)
      (`digest_bits` custom<Size>($digest_bits)^)?}]> {
  let summary = "Writes the new token's K and V: pnm.append 8 x 128 bits 16 digest_bits 16";
  let description = [{ digest_bits: and the digest of its page, once the page is full. }];
}
def Pnm_ScoreOp : Pnm_Kernel<"score",
    (ins Int:$query_heads, Int:$kv_heads, Int:$head_dim, Int:$digest_bits),
    [{custom<Size>($query_heads) `over` custom<Size>($kv_heads) `x` custom<Size>($head_dim)
      `digest_bits` custom<Size>($digest_bits)}]> {
  let summary = "Scores every page of the request: pnm.score 32 over 8 x 128 digest_bits 16";
  let description = [{ The best query head decides about a page, for all KV heads. }];
}
def Pnm_TopKOp : Pnm_Kernel<"top_k", (ins Int:$k), "custom<Size>($k)"> {
  let summary = "The k best pages: pnm.top_k 64";
}
def Pnm_AttentionOp : Pnm_Kernel<"attention",
    (ins Int:$query_heads, Int:$kv_heads, Int:$head_dim, Int:$kv_bits, OptionalAttr<Int>:$pages,
         DefaultValuedAttr<Int, "0">:$window),
    [{custom<Size>($query_heads) `over` custom<Size>($kv_heads) `x` custom<Size>($head_dim)
      `bits` custom<Size>($kv_bits) (`pages` custom<Size>($pages)^)?}]> {
  let summary = "Attention over all tokens, or over so many selected pages";
}

#endif
