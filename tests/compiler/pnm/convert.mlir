// RUN: memside-opt --convert-decode-to-pnm --split-input-file --verify-diagnostics %s | FileCheck %s
// RUN: memside-opt '--convert-decode-to-pnm=page-tokens=0 kv-bits=0 digest-bits=8' --split-input-file --verify-diagnostics %s | FileCheck %s --check-prefix=FORMAT

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!kv = tensor<8x128xbf16, #decode.axes<[head, channel]>>
!keys = !decode.cache<8 x 128, key>
!values = !decode.cache<8 x 128, value>
!digest = tensor<8x?x128xbf16, #decode.axes<[head, page, channel]>>
!scores = tensor<?xbf16, #decode.axes<[page]>>
!pages = tensor<64xi32, #decode.axes<[page]>>

// CHECK: pnm.program @selected model "selected" page_tokens 16 {
// CHECK-NEXT: pnm.append 8 x 128 bits 16 digest_bits 16
// CHECK-NEXT: pnm.score 32 over 8 x 128 digest_bits 16
// CHECK-NEXT: pnm.top_k 64
// CHECK-NEXT: pnm.attention 32 over 8 x 128 bits 16 pages 64
// CHECK-NEXT: }

// FORMAT: pnm.program @selected model "selected" page_tokens 16 {
// FORMAT-NEXT: pnm.append 8 x 128 bits ? digest_bits 8
// FORMAT-NEXT: pnm.score 32 over 8 x 128 digest_bits 8
// FORMAT-NEXT: pnm.top_k 64
// FORMAT-NEXT: pnm.attention 32 over 8 x 128 bits ? pages 64
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

// -----

!q = tensor<4x64xbf16, #decode.axes<[head, channel]>>
!digest = tensor<2x?x64xbf16, #decode.axes<[head, page, channel]>>
func.func @each(%q: !q, %a: !digest) {
  // expected-error @+1 {{scores pages for each KV head; the CXL-PNM device has one score of a page for all of them: let the result have the axes [page]}}
  %s = decode.score_pages %q, %a, %a <minmax> <max> : !q, !digest, !digest
    -> tensor<2x?xbf16, #decode.axes<[head, page]>>
  return
}

// -----

!q = tensor<4x64xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<2 x 64, key>
!v = !decode.cache<2 x 64, value>
!digest = tensor<2x?x64xbf16, #decode.axes<[head, page, channel]>>
func.func @other_pages(%q: !q, %k: !k, %v: !v) {
  %a, %b = decode.digest %k <minmax> {page_tokens = 16 : i64} : !k -> !digest, !digest
  %s = decode.score_pages %q, %a, %b <minmax> <max> : !q, !digest, !digest
    -> tensor<?xbf16, #decode.axes<[page]>>
  %p = decode.top_k %s : tensor<?xbf16, #decode.axes<[page]>> -> tensor<?xi32, #decode.axes<[page]>>
  // expected-error @+1 {{selects pages of ? tokens, but the device's have 16}}
  %o = decode.attention %q, %k, %v pages %p {scale = 0.1 : f32}
    : !q, !k, !v, tensor<?xi32, #decode.axes<[page]>> -> !q
  return
}
