// The operations of `decode`.
#ifndef MEMSIDE_COMPILER_DECODE_OPS
#define MEMSIDE_COMPILER_DECODE_OPS

include "compiler/decode/Dialect.td"
include "compiler/decode/Interfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Decode_Tensor : Type<
    CPred<"::memside::decode::has_axes($_self)">,
    "a ranked tensor of floats or i32 with named axes, as tensor<32x128xbf16, #decode.axes<[head, "
    "channel]>>", "::mlir::RankedTensorType">;

class Decode_Op<string mnemonic, string kind, dag inputs, dag outputs, list<Trait> traits = []>
    : Op<Decode_Dialect, mnemonic,
         !listconcat(traits, [Pure, DeclareOpInterfaceMethods<Decode_StepOp, ["getKind"]>])> {
  let arguments = !con(inputs, (ins OptionalAttr<Decode_OpTypeAttr>:$op_type,
                                 OptionalAttr<Decode_PartitioningAttr>:$partitioning,
                                 OptionalAttr<Decode_CommunicationAttr>:$communication,
                                 OptionalAttr<DenseI64ArrayAttr>:$modules));
  let results = outputs;
  let extraClassDefinition = [{
    ::memside::decode::OpType $cppClass::getKind() { return ::memside::decode::OpType::}] # kind # [{; }
  }];
  let hasVerifier = 1;
}

def Decode_WeightOp : Decode_Op<"weight", "other", 
    (ins StrAttr:$name, OptionalAttr<DenseF32ArrayAttr>:$values), (outs Decode_Tensor:$result)> {
  let summary = "A tensor of the model, by its name";
  let description = [{ `%w = decode.weight "blk.0.attn_q.weight" : tensor<..>`. Whoever loads the
    program places it. A matrix has the axes [row, column], outputs by inputs; a vector [channel].
    values: of a vector that the program itself has to hold, as the divisors of a rotation. }];
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

def Decode_LinearOp : Decode_Op<"linear", "gemv",
    (ins Decode_Tensor:$x, Decode_Tensor:$weight, Optional<Decode_Tensor>:$bias),
    (outs Decode_Tensor:$result)> {
  let summary = "y = W x + b";
  let description = [{
    The weight has the axes [row, column]. x has as many values (of a request) as columns, the result as
    many as rows: a projection to heads gives [head, channel] at once. The bias has one value a row.
  }];
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? attr-dict `:` type($x) `,` type($weight) (`,` type($bias)^)?
    `->` type($result)
  }];
}

def Decode_RmsNormOp : Decode_Op<"rms_norm", "norm",
    (ins Decode_Tensor:$x, Decode_Tensor:$weight, F32Attr:$eps, UnitAttr:$unit_offset),
    (outs Decode_Tensor:$result)> {
  let summary = "x / sqrt(mean(x^2) + eps) x weight, along the last axis";
  let description = [{
    The last axis is `channel`: with [head, channel] every head is normalised by itself, with the same
    weights. unit_offset: the factor is 1 + weight; who places the weights adds the 1.
  }];
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x) `,` type($weight) `->` type($result)";
}

def Decode_RopeOp : Decode_Op<"rope", "rope",
    (ins Decode_Tensor:$x, Optional<Decode_Tensor>:$divisors, F32Attr:$theta,
         DefaultValuedAttr<Decode_RopeStyleAttr, "::memside::decode::RopeStyle::neox">:$style,
         DefaultValuedAttr<F32Attr, "1.0f">:$scale),
    (outs Decode_Tensor:$result)> {
  let summary = "Rotates each head's vector by the position of the new token";
  let description = [{
    Pair i turns by position x scale / theta^(2 i / channels), over divisor i where there are any: one
    for each pair, [channel]. The position is the request's last token, T - 1.
  }];
  let assemblyFormat = [{
    $x (`over` $divisors^)? attr-dict `:` type($x) (`,` type($divisors)^)? `->` type($result)
  }];
}

def Decode_GateOp : Decode_Op<"gate", "gate",
    (ins Decode_Tensor:$gate, Decode_Tensor:$up, Decode_GateFunctionAttr:$function),
    (outs Decode_Tensor:$result)> {
  let summary = "function(gate) x up, value by value";
  let assemblyFormat = [{
    $gate `,` $up $function attr-dict `:` type($gate) `,` type($up) `->` type($result)
  }];
}

def Decode_AddOp : Decode_Op<"add", "add", (ins Decode_Tensor:$lhs, Decode_Tensor:$rhs),
    (outs Decode_Tensor:$result)> {
  let summary = "lhs + rhs, value by value";
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
}

def Decode_AppendOp : Decode_Op<"append", "append",
    (ins Decode_CacheType:$cache, Decode_Tensor:$x), (outs Decode_CacheType:$result)> {
  let summary = "The cache with the new token's keys or values, [head, channel]";
  let assemblyFormat = "$cache `,` $x attr-dict `:` type($cache) `,` type($x) `->` type($result)";
}

def Decode_QkOp : Decode_Op<"qk", "qkt", (ins Decode_Tensor:$query, Decode_CacheType:$keys),
    (outs Decode_Tensor:$result)> {
  let summary = "Scores of every cached token: query [head, channel] to [head, token], not scaled";
  let description = [{ The query heads are a multiple of the KV heads; query head h reads KV head
    h / (heads / KV heads). }];
  let assemblyFormat = "$query `,` $keys attr-dict `:` type($query) `,` type($keys) `->` type($result)";
}

def Decode_SoftmaxOp : Decode_Op<"softmax", "softmax",
    (ins Decode_Tensor:$scores, F32Attr:$scale, DefaultValuedAttr<Int, "0">:$window),
    (outs Decode_Tensor:$result)> {
  let summary = "Softmax of scale x score along the tokens";
  let description = [{ window: only the last so many tokens are seen; 0: all. }];
  let assemblyFormat = "$scores attr-dict `:` type($scores) `->` type($result)";
}

def Decode_SvOp : Decode_Op<"sv", "sv", (ins Decode_Tensor:$weights, Decode_CacheType:$values),
    (outs Decode_Tensor:$result)> {
  let summary = "Sums of cached values: weights [head, token] to [head, channel]";
  let assemblyFormat = [{
    $weights `,` $values attr-dict `:` type($weights) `,` type($values) `->` type($result)
  }];
}

def Decode_AttentionOp : Decode_Op<"attention", "attention",
    (ins Decode_Tensor:$query, Decode_CacheType:$keys, Decode_CacheType:$values,
         Optional<Decode_Tensor>:$pages, F32Attr:$scale, DefaultValuedAttr<Int, "0">:$window,
         OptionalAttr<Int>:$page_tokens),
    (outs Decode_Tensor:$result)> {
  let summary = "qk, softmax and sv in one, over all tokens or over selected pages";
  let description = [{
    pages: of i32, [head, page] those that each KV head attends to, [page] the same for all heads; of
    page_tokens tokens, which may be left out: known when the step runs.
  }];
  let assemblyFormat = [{
    $query `,` $keys `,` $values (`pages` $pages^)? attr-dict `:`
    type($query) `,` type($keys) `,` type($values) (`,` type($pages)^)? `->` type($result)
  }];
}

def Decode_DigestOp : Decode_Op<"digest", "other",
    (ins Decode_CacheType:$keys, OptionalAttr<Int>:$page_tokens, Decode_DigestKindAttr:$digest),
    (outs Decode_Tensor:$first, Decode_Tensor:$second)> {
  let summary = "Two vectors for the keys of every page: [head, page, channel] each";
  let description = [{ minmax: smallest and largest value of each channel; the others: centre and
    spread. No page_tokens: known when the step runs. }];
  let assemblyFormat = [{
    $keys $digest attr-dict `:` type($keys) `->` type($first) `,` type($second)
  }];
}

def Decode_ScorePagesOp : Decode_Op<"score_pages", "other",
    (ins Decode_Tensor:$query, Decode_Tensor:$first, Decode_Tensor:$second,
         Decode_DigestKindAttr:$digest, Decode_GroupScoreAttr:$group_score),
    (outs Decode_Tensor:$result)> {
  let summary = "A score of every page for every KV head, [head, page], or for all together, [page]";
  let assemblyFormat = [{
    $query `,` $first `,` $second $digest $group_score attr-dict `:`
    type($query) `,` type($first) `,` type($second) `->` type($result)
  }];
}

def Decode_TopKOp : Decode_Op<"top_k", "other", (ins Decode_Tensor:$scores, OptionalAttr<Int>:$k),
    (outs Decode_Tensor:$result)> {
  let summary = "The k pages with the highest scores, of i32; without k: known when the step runs";
  let assemblyFormat = "$scores attr-dict `:` type($scores) `->` type($result)";
}

def Decode_AllReduceOp : Decode_Op<"all_reduce", "reduce", (ins Decode_Tensor:$x),
    (outs Decode_Tensor:$result)> {
  let summary = "The sum over the modules that hold a part, known to all of them";
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
}

def Decode_AllGatherOp : Decode_Op<"all_gather", "copy", (ins Decode_Tensor:$x, Decode_AxisAttr:$axis),
    (outs Decode_Tensor:$result)> {
  let summary = "The parts of all modules along one axis, one after another, known to all of them";
  let assemblyFormat = "$x `along` $axis attr-dict `:` type($x) `->` type($result)";
}

#endif
