// RUN: memside-opt %s | memside-opt | FileCheck %s
// RUN: memside-opt --mlir-print-op-generic %s | memside-opt | FileCheck %s

// CHECK: pnm.program @layer model "llama-3.1-8b" page_tokens 32 {
pnm.program @layer model "llama-3.1-8b" page_tokens 32 {
  // CHECK-NEXT: pnm.append 8 x 128 bits 16 digest_bits 16
  pnm.append 8 x 128 bits 16 digest_bits 16
  // CHECK-NEXT: pnm.score 32 over 8 x 128 digest_bits 8
  pnm.score 32 over 8 x 128 digest_bits 8
  // CHECK-NEXT: pnm.top_k 64
  pnm.top_k 64
  // CHECK-NEXT: pnm.attention 32 over 8 x 128 bits 16 pages 64
  pnm.attention 32 over 8 x 128 bits 16 pages 64
  // CHECK-NEXT: pnm.append 1 x 256 bits 8{{$}}
  pnm.append 1 x 256 bits 8
  // CHECK-NEXT: pnm.attention 4 over 1 x 256 bits 8 {window = 512 : i64}
  pnm.attention 4 over 1 x 256 bits 8 {window = 512 : i64}
}

// Sizes that are known when a step runs.
// CHECK: pnm.program @any model "any" page_tokens ? {
pnm.program @any model "any" page_tokens ? {
  // CHECK-NEXT: pnm.append ? x ? bits ? digest_bits ?
  pnm.append ? x ? bits ? digest_bits ?
  // CHECK-NEXT: pnm.score ? over ? x 64 digest_bits ?
  pnm.score ? over ? x 64 digest_bits ?
  // CHECK-NEXT: pnm.top_k ?
  pnm.top_k ?
  // CHECK-NEXT: pnm.attention ? over 8 x ? bits ? pages ?
  pnm.attention ? over 8 x ? bits ? pages ?
}
