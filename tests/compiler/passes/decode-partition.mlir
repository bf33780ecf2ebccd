// RUN: memside-opt %s -decode-partition | FileCheck %s
// RUN: memside-opt %s -decode-partition="heads=hfp tensor=2 first-module=4" | FileCheck %s --check-prefix=TWO
// RUN: not memside-opt %s -decode-partition=tensor=3 2>&1 | FileCheck %s --check-prefix=ODD

!x = tensor<64xbf16, #decode.axes<[channel]>>
!q = tensor<4x32xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<2 x 32, key>
!v = !decode.cache<2 x 32, value>

// Projections by row, attention by token over the channels, output projection by column.
// CHECK-LABEL: func.func @layer
// CHECK-SAME: decode.heads = "tcp"
// CHECK: decode.linear {{.*}} op_type = #decode.op_type<gemv>, partitioning = #decode.partitioning<row>
// CHECK: decode.attention {{.*}} op_type = #decode.op_type<attention>, partitioning = #decode.partitioning<token>
// CHECK: decode.linear {{.*}} partitioning = #decode.partitioning<column>
// CHECK-NOT: decode.all_reduce
// CHECK: decode.add {{.*}} partitioning = #decode.partitioning<copy>

// A module's part: half of the heads, and a sum after the output projection.
// TWO-LABEL: func.func @layer
// TWO-SAME: !decode.cache<1 x 32, key>
// TWO: decode.linear {{.*}} modules = array<i64: 4, 5>, {{.*}} -> tensor<2x32xbf16
// TWO: decode.attention {{.*}} partitioning = #decode.partitioning<head>
// TWO: decode.linear {{.*}}communication = #decode.communication<all_reduce>{{.*}} tensor<64x64xbf16, {{.*}} -> tensor<64xbf16
// TWO-NEXT: decode.all_reduce
// TWO-NEXT: decode.add

// ODD: cache: 2 KV heads over 3 modules; allowed: a divisor of 2
func.func @layer(%x: !x, %k: !k, %v: !v) -> !x attributes {decode.layer = 5 : i64, decode.layers = 7 : i64} {
  %wq = decode.weight "q" : tensor<128x64xbf16, #decode.axes<[row, column]>>
  %wo = decode.weight "o" : tensor<64x128xbf16, #decode.axes<[row, column]>>
  %q = decode.linear %x, %wq : !x, tensor<128x64xbf16, #decode.axes<[row, column]>> -> !q
  %a = decode.attention %q, %k, %v {scale = 0.25 : f32} : !q, !k, !v -> !q
  %o = decode.linear %a, %wo : !q, tensor<64x128xbf16, #decode.axes<[row, column]>> -> !x
  %y = decode.add %x, %o : !x, !x -> !x
  return %y : !x
}

// Four modules for two KV heads: two share each head's tokens, and have two query heads of it.
// RUN: memside-opt %s -decode-partition="tensor=4 pipeline=2" | FileCheck %s --check-prefix=SHARE
// RUN: not memside-opt %s -decode-partition="tensor=8" 2>&1 | FileCheck %s --check-prefix=QUERIES
// SHARE-LABEL: func.func @layer
// SHARE-SAME: !decode.cache<1 x 32, key>
// SHARE-SAME: decode.stage = array<i64: 1, 2, 4, 3>
// SHARE: decode.attention {{.*}}communication = #decode.communication<all_to_all>, decode.token_modules = 2 : i64, modules = array<i64: 4, 5, 6, 7>{{.*}} tensor<1x32xbf16
// QUERIES: 4 query heads over 8 modules; allowed: a divisor of 4
