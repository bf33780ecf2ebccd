// RUN: memside-opt %s | memside-opt | FileCheck %s
// RUN: memside-opt --mlir-print-op-generic %s | memside-opt | FileCheck %s

!x = tensor<4096xbf16, #decode.axes<[channel]>>
!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!kv = tensor<8x128xbf16, #decode.axes<[head, channel]>>
!scores = tensor<32x?xbf16, #decode.axes<[head, token]>>
!pages = tensor<8x64xi32, #decode.axes<[head, page]>>
!digest = tensor<8x?x128xbf16, #decode.axes<[head, page, channel]>>

// CHECK-LABEL: func.func @projections
// CHECK-SAME: tensor<4096xbf16, #decode.axes<[channel]>>
func.func @projections(%x: !x) -> (!q, !kv) {
  // CHECK: decode.weight "blk.0.attn_norm.weight" : tensor<4096xbf16
  %n = decode.weight "blk.0.attn_norm.weight" : !x
  // CHECK: decode.rms_norm %{{.*}}, %{{.*}} {eps = {{.*}} : f32, unit_offset}
  %h = decode.rms_norm %x, %n {eps = 1.0e-5 : f32, unit_offset} : !x, !x -> !x
  %wq = decode.weight "blk.0.attn_q.weight" : tensor<4096x4096xbf16, #decode.axes<[row, column]>>
  %wk = decode.weight "blk.0.attn_k.weight" : tensor<1024x4096xbf16, #decode.axes<[row, column]>>
  %bk = decode.weight "blk.0.attn_k.bias" : tensor<1024xbf16, #decode.axes<[channel]>>
  // CHECK: decode.linear %{{.*}}, %{{.*}} :
  %q = decode.linear %h, %wq
    : !x, tensor<4096x4096xbf16, #decode.axes<[row, column]>> -> !q
  // CHECK: decode.linear %{{.*}}, %{{.*}} bias %{{.*}} :
  %k = decode.linear %h, %wk bias %bk : !x, tensor<1024x4096xbf16, #decode.axes<[row, column]>>,
    tensor<1024xbf16, #decode.axes<[channel]>> -> !kv
  // CHECK: decode.rope %{{.*}} {theta = 5.000000e+05 : f32}
  %r = decode.rope %q {theta = 5.0e5 : f32} : !q -> !q
  // CHECK: decode.rope %{{.*}} {scale = 1.250000e-01 : f32, style = #decode.rope_style<adjacent>, theta
  %s = decode.rope %k {theta = 1.0e4 : f32, scale = 0.125 : f32, style = #decode.rope_style<adjacent>}
    : !kv -> !kv
  // CHECK: decode.rope %{{.*}} over %{{.*}} {theta
  %f = decode.weight "rope_freqs.weight" : tensor<64xf32, #decode.axes<[channel]>>
  %t = decode.rope %r over %f {theta = 5.0e5 : f32} : !q, tensor<64xf32, #decode.axes<[channel]>> -> !q
  return %t, %s : !q, !kv
}

// CHECK-LABEL: func.func @attention
// CHECK-SAME: !decode.cache<8 x 128, key>
func.func @attention(%q: !q, %k: !kv, %keys: !decode.cache<8 x 128, key>,
                     %values: !decode.cache<8 x 128, value>) -> (!q, !q) {
  // CHECK: decode.append
  %keys1 = decode.append %keys, %k : !decode.cache<8 x 128, key>, !kv -> !decode.cache<8 x 128, key>
  // CHECK: decode.qk {{.*}} {communication = #decode.communication<concat>, modules = array<i64: 0, 1>, op_type = #decode.op_type<qkt>, partitioning = #decode.partitioning<token>}
  %s = decode.qk %q, %keys1 {op_type = #decode.op_type<qkt>,
      partitioning = #decode.partitioning<token>, communication = #decode.communication<concat>,
      modules = array<i64: 0, 1>}
    : !q, !decode.cache<8 x 128, key> -> !scores
  // CHECK: decode.softmax {{.*}} {scale = 0.0883883{{.*}} : f32, window = 512 : i64}
  %w = decode.softmax %s {scale = 0.088388346 : f32, window = 512 : i64} : !scores -> !scores
  // CHECK: decode.sv
  %o = decode.sv %w, %values : !scores, !decode.cache<8 x 128, value> -> !q
  // CHECK: decode.digest %{{.*}} <minmax>
  %a, %b = decode.digest %keys1 <minmax> {page_tokens = 32 : i64}
    : !decode.cache<8 x 128, key> -> !digest, !digest
  // CHECK: decode.score_pages %{{.*}}, %{{.*}}, %{{.*}} <minmax> <max>
  %p = decode.score_pages %q, %a, %b <minmax> <max>
    : !q, !digest, !digest -> tensor<8x?xbf16, #decode.axes<[head, page]>>
  // CHECK: decode.top_k %{{.*}} {k = 64 : i64}
  %t = decode.top_k %p {k = 64 : i64} : tensor<8x?xbf16, #decode.axes<[head, page]>> -> !pages
  // CHECK: decode.attention %{{.*}}, %{{.*}}, %{{.*}} pages %{{.*}} {page_tokens = 32 : i64, scale
  %c = decode.attention %q, %keys1, %values pages %t {scale = 0.088388346 : f32, page_tokens = 32 : i64}
    : !q, !decode.cache<8 x 128, key>, !decode.cache<8 x 128, value>, !pages -> !q
  return %o, %c : !q, !q
}

// CHECK-LABEL: func.func @gated
func.func @gated(%g: !x, %u: !x, %part: tensor<2x2048xf32, #decode.axes<[batch, channel]>>)
    -> tensor<2x4096xf32, #decode.axes<[batch, channel]>> {
  // CHECK: decode.gate %{{.*}}, %{{.*}} <silu> :
  %a = decode.gate %g, %u <silu> : !x, !x -> !x
  // CHECK: decode.gate %{{.*}}, %{{.*}} <gelu_tanh> :
  %b = decode.gate %g, %u <gelu_tanh> : !x, !x -> !x
  // CHECK: decode.add
  %c = decode.add %a, %b : !x, !x -> !x
  // CHECK: decode.all_reduce
  %d = decode.all_reduce %c : !x -> !x
  // CHECK: decode.all_gather %{{.*}} along <channel>
  %e = decode.all_gather %part along <channel> : tensor<2x2048xf32, #decode.axes<[batch, channel]>>
    -> tensor<2x4096xf32, #decode.axes<[batch, channel]>>
  return %e : tensor<2x4096xf32, #decode.axes<[batch, channel]>>
}
