// RUN: memside-opt '--pass-pipeline=builtin.module(func.func(decode-fuse-attention))' %s | FileCheck %s

!q = tensor<4x64xbf16, #decode.axes<[head, channel]>>
!s = tensor<4x?xbf16, #decode.axes<[head, token]>>
!k = !decode.cache<2 x 64, key>
!v = !decode.cache<2 x 64, value>

// CHECK-LABEL: func.func @step
// CHECK-NEXT: %[[O:.*]] = decode.attention %arg0, %arg1, %arg2 {op_type = #decode.op_type<attention>, scale = 1.250000e-01 : f32, window = 512 : i64}
// CHECK-NEXT: return %[[O]]
func.func @step(%q: !q, %k: !k, %v: !v) -> !q {
  %s = decode.qk %q, %k : !q, !k -> !s
  %w = decode.softmax %s {scale = 0.125 : f32, window = 512 : i64} : !s -> !s
  %o = decode.sv %w, %v : !s, !v -> !q
  return %o : !q
}

// Weights with another use stay.
// CHECK-LABEL: func.func @seen
// CHECK-NEXT: decode.qk
// CHECK-NEXT: decode.softmax
// CHECK-NEXT: decode.sv
func.func @seen(%q: !q, %k: !k, %v: !v) -> (!q, !s) {
  %s = decode.qk %q, %k : !q, !k -> !s
  %w = decode.softmax %s {scale = 0.125 : f32} : !s -> !s
  %o = decode.sv %w, %v : !s, !v -> !q
  return %o, %w : !q, !s
}
