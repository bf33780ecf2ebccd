// The passes to `pnm`.
#ifndef MEMSIDE_COMPILER_PNM_PASSES
#define MEMSIDE_COMPILER_PNM_PASSES

include "mlir/Pass/PassBase.td"

def ConvertDecodeToPnm : Pass<"convert-decode-to-pnm", "::mlir::ModuleOp"> {
  let summary = "Gives the CXL-PNM device what it has kernels for";
  let description = [{
    Every function becomes a pnm.program with a kernel for each append (of key and value together),
    score, choice and attention, in their order. Everything else of a layer is computed by the GPUs that
    the device is attached to, and is left out. qk, softmax and sv by themselves are an error: the
    device has them as attention only.
  }];
  let options = [
    Option<"page_tokens", "page-tokens", "std::int64_t", "32",
           "Tokens of a page where the step selects none">
  ];
  let dependentDialects = ["::memside::pnmir::PnmDialect"];
}

#endif
