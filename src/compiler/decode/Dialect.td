// The dialect `decode`: one decode step of one request on tensors whose axes have names.
#ifndef MEMSIDE_COMPILER_DECODE_DIALECT
#define MEMSIDE_COMPILER_DECODE_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"

def Decode_Dialect : Dialect {
  let name = "decode";
  let cppNamespace = "::memside::decode";
  let summary = "A step of an LLM decoder: one new token against cached keys and values";
  let description = [{
    Values are tensors whose encoding names every axis, and caches. A tensor without the axis `batch`
    belongs to one request. Nothing here says where data lie or which device computes: passes record
    that in the attributes op_type, partitioning, communication and modules.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

// An i64 attribute that C++ sees as signed.
def Int : TypedSignlessIntegerAttrBase<I64, "int64_t", "integer">;

class Decode_Enum<string name, string description, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, description, cases> {
  let cppNamespace = "::memside::decode";
  let genSpecializedAttr = 0;
}
class Decode_EnumAttr<EnumAttrInfo info, string mnemonic> : EnumAttr<Decode_Dialect, info, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def Decode_Axis : Decode_Enum<"Axis", "What an axis of a tensor runs over", [
  I32EnumAttrCase<"batch", 0>,    // requests
  I32EnumAttrCase<"head", 1>,     // query heads or KV heads
  I32EnumAttrCase<"token", 2>,    // of the context
  I32EnumAttrCase<"page", 3>,     // runs of tokens
  I32EnumAttrCase<"channel", 4>,  // of a vector
  I32EnumAttrCase<"row", 5>,      // of a weight matrix: outputs
  I32EnumAttrCase<"column", 6>    // of a weight matrix: inputs
]>;

def Decode_CacheKind : Decode_Enum<"CacheKind", "What a cache holds",
  [I32EnumAttrCase<"key", 0>, I32EnumAttrCase<"value", 1>]>;

def Decode_RopeStyle : Decode_Enum<"RopeStyle", "Which values rotate together", [
  I32EnumAttrCase<"neox", 0>,     // i and i + head_dim / 2
  I32EnumAttrCase<"adjacent", 1>  // 2 i and 2 i + 1
]>;
def Decode_GateFunction : Decode_Enum<"GateFunction", "The function of a gated layer",
  [I32EnumAttrCase<"silu", 0>, I32EnumAttrCase<"gelu_tanh", 1>]>;
def Decode_DigestKind : Decode_Enum<"DigestKind", "The two vectors that stand for a page's keys", [
  I32EnumAttrCase<"minmax", 0>, I32EnumAttrCase<"centre_max", 1>,
  I32EnumAttrCase<"centre_mad", 2>, I32EnumAttrCase<"centre_std", 3>]>;
def Decode_GroupScore : Decode_Enum<"GroupScore", "A page's score from those of its query heads",
  [I32EnumAttrCase<"mean", 0>, I32EnumAttrCase<"max", 1>]>;

// What passes record; the names are those of the execution table (pim/dynamic/dynamic_program.h).
def Decode_OpType : Decode_Enum<"OpType", "What an operation is in the execution table", [
  I32EnumAttrCase<"attention", 0>, I32EnumAttrCase<"qkt", 1>, I32EnumAttrCase<"softmax", 2>,
  I32EnumAttrCase<"sv", 3>, I32EnumAttrCase<"gemv", 4>, I32EnumAttrCase<"norm", 5>,
  I32EnumAttrCase<"rope", 6>, I32EnumAttrCase<"gate", 7>, I32EnumAttrCase<"add", 8>,
  I32EnumAttrCase<"append", 9>, I32EnumAttrCase<"reduce", 10>, I32EnumAttrCase<"copy", 11>,
  I32EnumAttrCase<"other", 12>]>;
def Decode_Partitioning : Decode_Enum<"Partitioning", "What is split over channels or modules", [
  I32EnumAttrCase<"head", 0>, I32EnumAttrCase<"token", 1>, I32EnumAttrCase<"row", 2>,
  I32EnumAttrCase<"column", 3>, I32EnumAttrCase<"copy", 4>]>;
def Decode_Communication : Decode_Enum<"Communication", "How the parts of a result come together", [
  I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"concat", 1>, I32EnumAttrCase<"reduce", 2>,
  I32EnumAttrCase<"all_reduce", 3>, I32EnumAttrCase<"all_gather", 4>, I32EnumAttrCase<"all_to_all", 5>,
  I32EnumAttrCase<"send", 6>, I32EnumAttrCase<"receive", 7>]>;

def Decode_AxisAttr : Decode_EnumAttr<Decode_Axis, "axis">;
def Decode_RopeStyleAttr : Decode_EnumAttr<Decode_RopeStyle, "rope_style">;
def Decode_GateFunctionAttr : Decode_EnumAttr<Decode_GateFunction, "gate_function">;
def Decode_DigestKindAttr : Decode_EnumAttr<Decode_DigestKind, "digest_kind">;
def Decode_GroupScoreAttr : Decode_EnumAttr<Decode_GroupScore, "group_score">;
def Decode_OpTypeAttr : Decode_EnumAttr<Decode_OpType, "op_type">;
def Decode_PartitioningAttr : Decode_EnumAttr<Decode_Partitioning, "partitioning">;
def Decode_CommunicationAttr : Decode_EnumAttr<Decode_Communication, "communication">;

def Decode_AxesAttr : AttrDef<Decode_Dialect, "Axes", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "axes";
  let summary = "The names of a tensor's axes, outermost first";
  let description = [{
    `tensor<32x?xbf16, #decode.axes<[head, token]>>`. As many names as the tensor has dimensions, each
    once.
  }];
  let parameters = (ins ArrayRefParameter<"::memside::decode::Axis">:$names);
  let hasCustomAssemblyFormat = 1;
}

def Decode_CacheType : TypeDef<Decode_Dialect, "Cache"> {
  let mnemonic = "cache";
  let summary = "The keys or values of one request and layer, as many tokens as the request has";
  let description = [{
    `!decode.cache<8 x 128, key>`: 8 KV heads, vectors of 128 values. A value of this type is the cache
    at one point of the step; decode.append makes the next one. A size may be `?`, not known before the
    step runs.
  }];
  let parameters = (ins "int64_t":$kv_heads, "int64_t":$head_dim,
                        "::memside::decode::CacheKind":$kind);
  let assemblyFormat = "`<` custom<Size>($kv_heads) `x` custom<Size>($head_dim) `,` $kind `>`";
  let genVerifyDecl = 1;
}

#endif
