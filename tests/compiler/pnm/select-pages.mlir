// RUN: memside-opt '--decode-select-pages=page-tokens=16 pages=64' --split-input-file %s | FileCheck %s
// RUN: memside-opt '--decode-select-pages=page-tokens=0' --split-input-file %s | FileCheck %s --check-prefix=STEP

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<8 x 128, key>
!v = !decode.cache<8 x 128, value>

// CHECK: func.func @layer_selecting(%[[Q:.*]]: tensor<32x128xbf16{{.*}}, %[[K:.*]]: !decode.cache<8 x 128, key>, %[[V:.*]]: !decode.cache<8 x 128, value>)
// CHECK-NEXT: %[[A:.*]], %[[B:.*]] = decode.digest %[[K]] <minmax> {op_type = #decode.op_type<other>, page_tokens = 16 : i64}
// CHECK-SAME: -> tensor<8x?x128xbf16, #decode.axes<[head, page, channel]>>
// CHECK-NEXT: %[[S:.*]] = decode.score_pages %[[Q]], %[[A]], %[[B]] <minmax> <max> {{.*}} -> tensor<?xbf16, #decode.axes<[page]>>
// CHECK-NEXT: %[[P:.*]] = decode.top_k %[[S]] {k = 64 : i64, {{.*}} -> tensor<64xi32, #decode.axes<[page]>>
// CHECK-NEXT: decode.attention %[[Q]], %[[K]], %[[V]] pages %[[P]] {page_tokens = 16 : i64, scale
// CHECK: func.func @layer(
// CHECK-NEXT: decode.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} {scale

// STEP: func.func @layer_selecting(
// STEP-NEXT: decode.digest %{{.*}} <minmax> {op_type = #decode.op_type<other>} :
// STEP-NEXT: decode.score_pages
// STEP-NEXT: decode.top_k %{{.*}} {op_type = #decode.op_type<other>} : {{.*}} -> tensor<?xi32, #decode.axes<[page]>>
// STEP-NEXT: decode.attention {{.*}} pages %{{.*}} {scale
func.func @layer(%q: !q, %k: !k, %v: !v) -> !q {
  %o = decode.attention %q, %k, %v {scale = 0.1 : f32} : !q, !k, !v -> !q
  return %o : !q
}

// -----

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<8 x 128, key>
!v = !decode.cache<8 x 128, value>

// A window is attended whole.
// CHECK-NOT: _selecting
// CHECK: func.func @slides(
func.func @slides(%q: !q, %k: !k, %v: !v) -> !q {
  %o = decode.attention %q, %k, %v {scale = 0.1 : f32, window = 512 : i64} : !q, !k, !v -> !q
  return %o : !q
}
