// The dialect `pnm`: the kernels of the CXL-PNM device, an operation each.
#ifndef MEMSIDE_COMPILER_PNM_DIALECT
#define MEMSIDE_COMPILER_PNM_DIALECT

include "compiler/decode/Dialect.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

def Pnm_Dialect : Dialect {
  let name = "pnm";
  let cppNamespace = "::memside::pnmir";
  let summary = "What a CXL-PNM device does for a layer of one request";
  let description = [{
    Kernels with the shapes that are known when a layer is compiled; `?` is a size that is not, and that
    the program has a name for. Tokens and pages of the request never are: they follow from the context
    at which the program runs. src/pnm/operation_table.h says what units execute a kernel.
  }];
}

class Pnm_Op<string mnemonic, list<Trait> traits = []> : Op<Pnm_Dialect, mnemonic, traits>;

#endif
