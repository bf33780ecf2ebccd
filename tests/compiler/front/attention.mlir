// RUN: memside-opt --linalg-to-decode %s | FileCheck %s

// One KV head, a fixed context, softmax whole, queries scaled beforehand; vectors as matvec writes.
// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:.*]]: tensor<4x64xbf16, #decode.axes<[head, channel]>>, %[[K:.*]]: !decode.cache<1 x 64, key>, %[[V:.*]]: !decode.cache<1 x 64, value>)
func.func @attention(%q: tensor<1x4x64xbf16>, %k: tensor<1x512x64xbf16>, %v: tensor<1x512x64xbf16>)
    -> tensor<1x4x64xbf16> {
  %zero = arith.constant 0.0 : bf16
  %scale = arith.constant dense<1.25e-1> : tensor<1x4x64xbf16>
  %e = tensor.empty() : tensor<1x4x64xbf16>
  %scaled = linalg.mul ins(%q, %scale : tensor<1x4x64xbf16>, tensor<1x4x64xbf16>)
                       outs(%e : tensor<1x4x64xbf16>) -> tensor<1x4x64xbf16>
  %es = tensor.empty() : tensor<1x4x512xbf16>
  %zs = linalg.fill ins(%zero : bf16) outs(%es : tensor<1x4x512xbf16>) -> tensor<1x4x512xbf16>
  // CHECK: %[[S:.*]] = decode.qk %[[Q]], %[[K]]
  %s = linalg.batch_matmul_transpose_b ins(%scaled, %k : tensor<1x4x64xbf16>, tensor<1x512x64xbf16>)
      outs(%zs : tensor<1x4x512xbf16>) -> tensor<1x4x512xbf16>
  // CHECK: %[[W:.*]] = decode.softmax %[[S]] {op_type = #decode.op_type<softmax>, scale = 1.250000e-01 : f32}
  %w = linalg.softmax dimension(2) ins(%s : tensor<1x4x512xbf16>) outs(%es : tensor<1x4x512xbf16>)
      -> tensor<1x4x512xbf16>
  %z = linalg.fill ins(%zero : bf16) outs(%e : tensor<1x4x64xbf16>) -> tensor<1x4x64xbf16>
  // CHECK: decode.sv %[[W]], %[[V]]
  %o = linalg.batch_matmul ins(%w, %v : tensor<1x4x512xbf16>, tensor<1x512x64xbf16>)
      outs(%z : tensor<1x4x64xbf16>) -> tensor<1x4x64xbf16>
  return %o : tensor<1x4x64xbf16>
}

// SV alone, of weights that are an argument; tokens first in the cache.
// CHECK-LABEL: func.func @sv(
// CHECK-SAME: %[[W:.*]]: tensor<8x?xf32, #decode.axes<[head, token]>>, %[[V:.*]]: !decode.cache<8 x 128, value>)
func.func @sv(%w: tensor<8x?xf32>, %v: tensor<?x8x128xf32>) -> tensor<8x128xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x128xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8x128xf32>) -> tensor<8x128xf32>
  // CHECK: decode.sv %[[W]], %[[V]] {op_type = #decode.op_type<sv>}
  %o = linalg.generic {
      indexing_maps = [affine_map<(h, d, t) -> (h, t)>, affine_map<(h, d, t) -> (t, h, d)>,
                       affine_map<(h, d, t) -> (h, d)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%w, %v : tensor<8x?xf32>, tensor<?x8x128xf32>) outs(%z : tensor<8x128xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
  } -> tensor<8x128xf32>
  return %o : tensor<8x128xf32>
}

// A function of decode stays.
// CHECK-LABEL: func.func @decoded
// CHECK-NEXT: decode.add %{{.*}}, %{{.*}} :
func.func @decoded(%x: tensor<64xf32, #decode.axes<[channel]>>) {
  %y = decode.add %x, %x : tensor<64xf32, #decode.axes<[channel]>>,
    tensor<64xf32, #decode.axes<[channel]>> -> tensor<64xf32, #decode.axes<[channel]>>
  return
}
