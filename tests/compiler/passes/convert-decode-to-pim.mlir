// RUN: memside-opt %s -split-input-file -decode-partition -decode-tile -convert-decode-to-pim -verify-diagnostics | FileCheck %s

!x = tensor<1100xbf16, #decode.axes<[channel]>>
!y = tensor<2x64xbf16, #decode.axes<[head, channel]>>

// A chunk of 64 tiles of x goes into GBuf in two transfers, and the last 5 tiles in one; sums stay in
// the accumulator over both.
// CHECK-LABEL: pim.program @linear model "linear" target "aim tcp"
// CHECK-SAME: argument0 = array<i64: 1, 69>
// CHECK: pim.region @q rows 2
// CHECK: pim.region @b rows 1
// CHECK: pim.entry @zeros
// CHECK: pim.hub.fill out %{{.*}} {scale = 0.000000e+00 : f32, tiles = 1 : i64}
// CHECK: pim.entry @"0 q" op_type <gemv> partitioning <row> communication <none>
// CHECK: pim.wr_bias
// CHECK: pim.loop %{{.*}} count 2
// CHECK: pim.wr_gb {{.*}} opsize 32
// CHECK: pim.dyn_modi 0 in @q
// CHECK-NEXT: pim.mac_abk {{.*}} opsize 64
// CHECK: pim.wr_gb {{.*}} opsize 5
// CHECK: pim.dyn_modi 1 in @q
// CHECK: pim.mac_abk {{.*}} opsize 5
// CHECK: pim.rd_mac
// CHECK: pim.dyn_modi 0 in @b
// CHECK: pim.rd_sbk
// CHECK: pim.hub.add
func.func @linear(%x: !x) -> !y {
  %w = decode.weight "q" : tensor<128x1100xbf16, #decode.axes<[row, column]>>
  %b = decode.weight "b" : tensor<128xbf16, #decode.axes<[channel]>>
  %y = decode.linear %x, %w bias %b : !x, tensor<128x1100xbf16, #decode.axes<[row, column]>>, tensor<128xbf16, #decode.axes<[channel]>> -> !y
  return %y : !y
}

// -----

!x = tensor<64xbf16, #decode.axes<[channel]>>
!q = tensor<1x64xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<1 x 64, key>

// CHECK-LABEL: pim.program @vectors
// CHECK: pim.region @n rows 1
// CHECK: pim.region @"cache 2 key from head 0" per_request
// CHECK: pim.hub.rms_norm {{.*}} {scale = 9.99999997E-7 : f32, values = 64 : i64}
// CHECK: pim.hub.gate {{.*}} {choice = 1 : i64, tiles = 4 : i64}
// CHECK: pim.hub.rope {{.*}} {choice = 1 : i64, head_dim = 64 : i64, theta = 1.000000e+04 : f32}
// CHECK: pim.hub.append_key {{.*}} to @"cache 2 key from head 0"
func.func @vectors(%x: !x, %q: !q, %k: !k) -> (!x, !k) {
  %w = decode.weight "n" : tensor<64xbf16, #decode.axes<[channel]>>
  %n = decode.rms_norm %x, %w {eps = 1.0e-6 : f32} : !x, tensor<64xbf16, #decode.axes<[channel]>> -> !x
  %g = decode.gate %n, %x <gelu_tanh> : !x, !x -> !x
  %r = decode.rope %q {theta = 10000.0 : f32, style = #decode.rope_style<adjacent>} : !q -> !q
  %k1 = decode.append %k, %r : !k, !q -> !k
  return %g, %k1 : !x, !k
}

// -----

!x = tensor<64xbf16, #decode.axes<[channel]>>
!w = tensor<64x64xbf16, #decode.axes<[row, column]>>
func.func @computed(%x: !x, %w: !w) -> !x {
  // expected-error @below {{needs weights of a decode.weight: those lie in the banks}}
  %y = decode.linear %x, %w : !x, !w -> !x
  return %y : !x
}

// -----

!q = tensor<1x32xbf16, #decode.axes<[head, channel]>>
!f = tensor<16xf32, #decode.axes<[channel]>>
func.func @divided(%q: !q) -> !q {
  %f = decode.weight "rope_freqs.weight" : !f
  // expected-error @below {{needs divisors of a decode.weight with their values, in FP32}}
  %r = decode.rope %q over %f {theta = 10000.0 : f32} : !q, !f -> !q
  return %r : !q
}
