// RUN: memside-opt --convert-decode-to-pnm --split-input-file --verify-diagnostics %s | FileCheck %s
// RUN: memside compile --model gemma-3-270m --target pnm --emit mlir | FileCheck %s --check-prefix=MODEL

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!kv = tensor<8x128xbf16, #decode.axes<[head, channel]>>
!keys = !decode.cache<8 x 128, key>
!values = !decode.cache<8 x 128, value>
!digest = tensor<8x?x128xbf16, #decode.axes<[head, page, channel]>>
!scores = tensor<8x?xbf16, #decode.axes<[head, page]>>
!pages = tensor<8x64xi32, #decode.axes<[head, page]>>

// MODEL: pnm.program @layer model "gemma-3-270m" page_tokens 32 {
// MODEL-NEXT: pnm.append 1 x 256{{$}}
// MODEL-NEXT: pnm.attention 4 over 1 x 256 {window = 512 : i64}
// MODEL-NEXT: }

// CHECK: pnm.program @selected model "selected" page_tokens 16 {
// CHECK-NEXT: pnm.append 8 x 128 with_digest
// CHECK-NEXT: pnm.score 32 over 8 x 128
// CHECK-NEXT: pnm.top_k 64 of 8
// CHECK-NEXT: pnm.attention 32 over 8 x 128 pages 64
// CHECK-NEXT: }
func.func @selected(%q: !q, %k: !kv, %v: !kv, %keys: !keys, %values: !values) -> !q {
  %keys1 = decode.append %keys, %k : !keys, !kv -> !keys
  %values1 = decode.append %values, %v : !values, !kv -> !values
  %a, %b = decode.digest %keys1 <minmax> {page_tokens = 16 : i64} : !keys -> !digest, !digest
  %s = decode.score_pages %q, %a, %b <minmax> <max> : !q, !digest, !digest -> !scores
  %p = decode.top_k %s {k = 64 : i64} : !scores -> !pages
  %o = decode.attention %q, %keys1, %values1 pages %p {scale = 0.1 : f32, page_tokens = 16 : i64}
    : !q, !keys, !values, !pages -> !q
  return %o : !q
}

// -----

func.func @alone(%q: tensor<4x64xbf16, #decode.axes<[head, channel]>>, %k: !decode.cache<4 x 64, key>) {
  // expected-error @+1 {{is no kernel of the CXL-PNM device by itself, which has decode.attention}}
  %s = decode.qk %q, %k : tensor<4x64xbf16, #decode.axes<[head, channel]>>, !decode.cache<4 x 64, key>
    -> tensor<4x?xbf16, #decode.axes<[head, token]>>
  return
}
