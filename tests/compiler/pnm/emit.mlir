// memside compile --target pnm: what the simulation of CXL-PNM devices runs.
// RUN: memside compile --model any --target pnm -o %t.yaml
// RUN: cmp %t.yaml %S/../../../systems/programs/pnm-layer.yaml
// RUN: memside compile --model llama-3.1-8b --target pnm --page-size 16 --budget 1000 --kv-type fp8 --digest-type int8 | FileCheck %s --check-prefix=LLAMA --match-full-lines
// RUN: memside compile --model any --target pnm --page-size 64 --kv-type int4 | FileCheck %s --check-prefix=ANY --match-full-lines
// RUN: memside compile --model gemma-3-270m --target pnm --layer 0 | FileCheck %s --check-prefix=WINDOW --match-full-lines --implicit-check-not=selecting
// RUN: memside compile --model gemma-3-270m --target pnm --emit mlir | FileCheck %s --check-prefix=MLIR
// RUN: memside compile --input %S/../front/layer.mlir --target pnm | FileCheck %s --check-prefix=LINALG --match-full-lines
// RUN: memside compile --input %s --target pnm | FileCheck %s --check-prefix=DECODE --match-full-lines

// LLAMA: # Compiled for the CXL-PNM device, model 'llama-3.1-8b'. Names are bound when a step runs.
// LLAMA-NEXT: program: pnm-layer
// LLAMA-NEXT: version: 1
// LLAMA-NEXT: layers:
// LLAMA-NEXT:   selecting:
// LLAMA-NEXT:     - kernel: append
// LLAMA-NEXT:       requests: requests
// LLAMA-NEXT:       kv_heads: 8
// LLAMA-NEXT:       head_dim: 128
// LLAMA-NEXT:       kv_bits: 8
// LLAMA-NEXT:       digest_vectors: 2
// LLAMA-NEXT:       digest_bits: 8
// LLAMA-NEXT:       page_tokens: 16
// LLAMA-NEXT:     - kernel: score
// LLAMA-NEXT:       pages: pages
// LLAMA-NEXT:       query_heads: 32
// LLAMA-NEXT:       kv_heads: 8
// LLAMA-NEXT:       head_dim: 128
// LLAMA-NEXT:       digest_bits: 8
// LLAMA-NEXT:     - kernel: top-k
// LLAMA-NEXT:       scores: scores
// LLAMA-NEXT:       selected: 63
// LLAMA-NEXT:     - kernel: attention
// LLAMA-NEXT:       requests: requests
// LLAMA-NEXT:       attended_tokens: attended_tokens
// LLAMA-NEXT:       query_heads: 32
// LLAMA-NEXT:       kv_heads: 8
// LLAMA-NEXT:       head_dim: 128
// LLAMA-NEXT:       kv_bits: 8
// LLAMA-NEXT:       page_tokens: 16
// LLAMA-NEXT:   whole:
// LLAMA-NEXT:     - kernel: append
// LLAMA-NEXT:       requests: requests
// LLAMA-NEXT:       kv_heads: 8
// LLAMA-NEXT:       head_dim: 128
// LLAMA-NEXT:       kv_bits: 8
// LLAMA-NEXT:       digest_vectors: 0
// LLAMA-NEXT:       digest_bits: 0
// LLAMA-NEXT:       page_tokens: 0
// LLAMA-NEXT:     - kernel: attention
// LLAMA-NEXT:       requests: requests
// LLAMA-NEXT:       attended_tokens: attended_tokens
// LLAMA-NEXT:       query_heads: 32
// LLAMA-NEXT:       kv_heads: 8
// LLAMA-NEXT:       head_dim: 128
// LLAMA-NEXT:       kv_bits: 8
// LLAMA-NEXT:       page_tokens: 0

// ANY: kv_heads: kv_heads
// ANY: kv_bits: 4
// ANY: digest_vectors: 2
// ANY: digest_bits: digest_bits
// ANY: page_tokens: 64
// ANY: selected: selected
// ANY: query_heads: query_heads

// WINDOW:   whole:
// WINDOW: query_heads: 4

// Without --layer the first that sees all its tokens.
// MLIR: pnm.program @layer_selecting model "gemma-3-270m" page_tokens 32 {
// MLIR-NEXT: pnm.append 1 x 256 bits 16 digest_bits 16
// MLIR-NEXT: pnm.score 4 over 1 x 256 digest_bits 16
// MLIR-NEXT: pnm.top_k ?
// MLIR-NEXT: pnm.attention 4 over 1 x 256 bits 16 pages ?
// MLIR-NEXT: }
// MLIR-NEXT: pnm.program @layer model "gemma-3-270m" page_tokens 32 {
// MLIR-NEXT: pnm.append 1 x 256 bits 16{{$}}
// MLIR-NEXT: pnm.attention 4 over 1 x 256 bits 16{{$}}
// MLIR-NEXT: }

// LINALG: # Compiled for the CXL-PNM device, model 'layer'. Names are bound when a step runs.
// LINALG:   selecting:
// LINALG: selected: selected
// LINALG:   whole:

// A function in `decode` with sizes that are not known.
// DECODE:   whole:
// DECODE: query_heads: 12
// DECODE: kv_heads: kv_heads
// DECODE: head_dim: 64
!q = tensor<12x64xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<? x 64, key>
!v = !decode.cache<? x 64, value>
func.func @attend(%q: !q, %k: !k, %v: !v) -> !q {
  %o = decode.attention %q, %k, %v {scale = 0.1 : f32, window = 100 : i64} : !q, !k, !v -> !q
  return %o : !q
}
