// The passes to `pnm`.
#ifndef MEMSIDE_COMPILER_PNM_PASSES
#define MEMSIDE_COMPILER_PNM_PASSES

include "mlir/Pass/PassBase.td"

def DecodeSelectPages : Pass<"decode-select-pages", "::mlir::ModuleOp"> {
  let summary = "Beside each layer that attends to all tokens, one that selects pages";
  let description = [{
    A function with attention over all tokens of the request gets a copy in front of it, NAME_selecting,
    whose attention is over the pages with the highest scores: digests of the keys, one score of a page
    for all KV heads, and a choice are put before it. Sliding windows, and functions that select by
    themselves, stay as they are.
  }];
  let options = [
    Option<"page_tokens", "page-tokens", "std::int64_t", "32",
           "Tokens of a page; 0: known when the step runs">,
    Option<"pages", "pages", "std::int64_t", "0",
           "Pages that are selected; 0: known when the step runs">
  ];
  let dependentDialects = ["::memside::decode::DecodeDialect"];
}

def ConvertDecodeToPnm : Pass<"convert-decode-to-pnm", "::mlir::ModuleOp"> {
  let summary = "Gives the CXL-PNM device what it has kernels for";
  let description = [{
    Every function becomes a pnm.program with a kernel for each append (of key and value together),
    score, choice and attention, in their order. Everything else of a layer is computed by the GPUs that
    the device is attached to, and is left out. qk, softmax and sv by themselves are an error, as the
    device has them as attention only; scores for each KV head are one, as the device has one of a page
    for all heads.
  }];
  let options = [
    Option<"page_tokens", "page-tokens", "std::int64_t", "32",
           "Tokens of a page where the step selects none; 0: known when it runs">,
    Option<"kv_bits", "kv-bits", "std::int64_t", "16",
           "Bits of a stored value; 0: known when the step runs">,
    Option<"digest_bits", "digest-bits", "std::int64_t", "16",
           "Bits of a value of a digest; 0: known when the step runs">
  ];
  let dependentDialects = ["::memside::pnmir::PnmDialect"];
}

#endif
