// RUN: memside-opt %s -split-input-file -decode-partition -decode-tile -verify-diagnostics | FileCheck %s

!q = tensor<2x64xbf16, #decode.axes<[head, channel]>>
!s = tensor<2x?xf32, #decode.axes<[head, token]>>
!k = !decode.cache<1 x 64, key>
!v = !decode.cache<1 x 64, value>

// Register 0 holds zeros. Rotation is in place; attention takes what is free as scratch.
// CHECK-LABEL: func.func @fused(
// CHECK-SAME: {decode.registers = array<i64: 1, 8>}
// CHECK-SAME: decode.target = {accumulators = 64 : i64, channels = 32 : i64, hfp = false, row_reuse = true}
// CHECK: decode.rope {{.*}} decode.registers = array<i64: 1, 8>
// CHECK-NOT: decode.softmax
// CHECK: decode.attention {{.*}} decode.block_tokens = {{[0-9]+}} : i64, {{.*}} decode.registers = array<i64: 9, 8>, decode.scratch = array<i64: 17, 16367>{{.*}} scale = 2.500000e-01 : f32, window = 16 : i64
func.func @fused(%q: !q, %k: !k, %v: !v) -> !q {
  %r = decode.rope %q {theta = 10000.0 : f32} : !q -> !q
  %s = decode.qk %r, %k : !q, !k -> !s
  %w = decode.softmax %s {scale = 0.25 : f32, window = 16 : i64} : !s -> !s
  %o = decode.sv %w, %v : !s, !v -> !q
  return %o : !q
}

// -----

!q = tensor<2x64xbf16, #decode.axes<[head, channel]>>
!s = tensor<2x?xf32, #decode.axes<[head, token]>>
!k = !decode.cache<1 x 64, key>
!v = !decode.cache<1 x 64, value>
// Scores that go to the caller, and weights that come from it, lie in the banks.
// CHECK-LABEL: func.func @scores(
// CHECK: decode.qk {{.*}} decode.heads_at_once = 1 : i64, decode.scratch = array<i64: 9, 16375>,
func.func @scores(%q: !q, %k: !k) -> !s {
  %s = decode.qk %q, %k : !q, !k -> !s
  return %s : !s
}
// CHECK-LABEL: func.func @sums(
// CHECK-NOT: decode.registers
// CHECK: decode.sv {{.*}} decode.heads_at_once = 1 : i64, decode.registers = array<i64: 1, 8>, decode.scratch = array<i64: 9, 16375>,
func.func @sums(%w: !s, %v: !v) -> !q {
  %o = decode.sv %w, %v : !s, !v -> !q
  return %o : !q
}

// -----

!q = tensor<2x64xbf16, #decode.axes<[head, channel]>>
!s = tensor<2x?xf32, #decode.axes<[head, token]>>
!k = !decode.cache<1 x 64, key>
!v = !decode.cache<1 x 64, value>
func.func @no_softmax(%q: !q, %k: !k, %v: !v) -> !q {
  %s = decode.qk %q, %k : !q, !k -> !s
  // expected-error @below {{needs weights of a decode.softmax that nothing else uses, or of the caller}}
  %o = decode.sv %s, %v : !s, !v -> !q
  return %o : !q
}

// -----

!q = tensor<2x64xbf16, #decode.axes<[head, channel]>>
!s = tensor<2x?xf32, #decode.axes<[head, token]>>
!k = !decode.cache<1 x 64, key>
func.func @no_sums(%q: !q, %k: !k) -> !s {
  // expected-error @below {{is compiled together with softmax and sv, or with scores that go to the caller}}
  %s = decode.qk %q, %k : !q, !k -> !s
  %w = decode.softmax %s {scale = 0.25 : f32} : !s -> !s
  return %w : !s
}

// -----

!q = tensor<2x40xbf16, #decode.axes<[head, channel]>>
// expected-error @below {{has heads that fill no whole registers of 16 values}}
func.func @narrow(%q: !q) -> !q {
  return %q : !q
}

// -----

!k = !decode.cache<1 x 64, key>
!d = tensor<1x?x64xf32, #decode.axes<[head, page, channel]>>
func.func @digests(%k: !k) -> !d {
  // expected-error @below {{is not compiled for DRAM-PIM; target pnm has it}}
  %a, %b = decode.digest %k <minmax> {page_tokens = 32 : i64} : !k -> !d, !d
  return %a : !d
}

// -----

!x = tensor<262144xbf16, #decode.axes<[channel]>>
// expected-error @below {{needs 16384 registers of 32 bytes in a row; 16383 are free}}
func.func @large(%a: !x, %b: !x) -> !x {
  %c = decode.add %a, %b : !x, !x -> !x
  return %c : !x
}
