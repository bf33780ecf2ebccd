// RUN: memside-opt %s | memside-opt | FileCheck %s
// RUN: memside-opt --mlir-print-op-generic %s | memside-opt | FileCheck %s

// CHECK: pnm.program @layer model "llama-3.1-8b" page_tokens 32 {
pnm.program @layer model "llama-3.1-8b" page_tokens 32 {
  // CHECK-NEXT: pnm.append 8 x 128 with_digest
  pnm.append 8 x 128 with_digest
  // CHECK-NEXT: pnm.score 32 over 8 x 128 {digest_bits = 8 : i64}
  pnm.score 32 over 8 x 128 {digest_bits = 8 : i64}
  // CHECK-NEXT: pnm.top_k 64 of 8
  pnm.top_k 64 of 8
  // CHECK-NEXT: pnm.attention 32 over 8 x 128 pages 64
  pnm.attention 32 over 8 x 128 pages 64
  // CHECK-NEXT: pnm.append 1 x 256 {kv_bits = 8 : i64}
  pnm.append 1 x 256 {kv_bits = 8 : i64}
  // CHECK-NEXT: pnm.attention 4 over 1 x 256 {window = 512 : i64}
  pnm.attention 4 over 1 x 256 {window = 512 : i64}
}
