// What a user can get wrong: one line that says where, and exit status 2.
// RUN: sh -c 'memside compile --input %s -o %t; test $? = 2' 2>&1 | FileCheck %s --check-prefix=PLACE
// RUN: sh -c 'memside compile; test $? = 2' 2>&1 | FileCheck %s --check-prefix=SOURCE
// RUN: sh -c 'memside compile --model llama-3.1-8b --kernel mlp; test $? = 2' 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: sh -c 'memside compile --model llama-3.1-8b --layer 32; test $? = 2' 2>&1 | FileCheck %s --check-prefix=LAYER
// RUN: sh -c 'memside compile --model llama-3.1-8b --access static; test $? = 2' 2>&1 | FileCheck %s --check-prefix=STATIC
// RUN: sh -c 'memside compile --model llama-3.1-8b --modules 8 --tp 3; test $? = 2' 2>&1 | FileCheck %s --check-prefix=MODULES
// RUN: sh -c 'memside compile --model qwen1.5-7b --pp 33 -o %t; test $? = 2' 2>&1 | FileCheck %s --check-prefix=STAGES
// RUN: sh -c 'memside compile --model qwen1.5-7b --target pnm --pp 2; test $? = 2' 2>&1 | FileCheck %s --check-prefix=PNM
// RUN: sh -c 'memside compile --model qwen1.5-7b --kernel attention --tp 3 --print-after=front -o %t; test $? = 2' 2>&1 | FileCheck %s --check-prefix=LATER
// RUN: sh -c 'memside compile --model qwen1.5-7b --access static --context 16M --print-after=decode-tile -o %t; test $? = 2' 2>&1 | FileCheck %s --check-prefix=TILED
// RUN: sh -c 'memside compile --input %s --kernel qk; test $? = 2' 2>&1 | FileCheck %s --check-prefix=OWN
// RUN: sh -c 'memside compile --model qwen1.5-7b --emit mlir --print-after=cse -o %t; test $? = 2' 2>&1 | FileCheck %s --check-prefix=AFTER
// RUN: sh -c 'MEMSIDE_COMPILER=%t.none memside compile --model llama-3.1-8b -o %t; test $? = 1' 2>&1 | FileCheck %s --check-prefix=LIBRARY
// RUN: sh -c 'memside compile --model llama-3.1-8b --target pnm --emit bin; test $? = 2' 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: sh -c 'memside compile --model llama-3.1-8b --target pnm --partition tcp; test $? = 2' 2>&1 | FileCheck %s --check-prefix=NOPNM
// RUN: sh -c 'memside compile --model llama-3.1-8b --target pnm --context 4K; test $? = 2' 2>&1 | FileCheck %s --check-prefix=NOCONTEXT
// RUN: sh -c 'memside compile --model llama-3.1-8b --page-size 16; test $? = 2' 2>&1 | FileCheck %s --check-prefix=NOAIM
// RUN: sh -c 'memside compile --model llama-3.1-8b --target pnm --page-size 24; test $? = 2' 2>&1 | FileCheck %s --check-prefix=PAGE
// RUN: sh -c 'memside compile --model any; test $? = 2' 2>&1 | FileCheck %s --check-prefix=ANYAIM
// RUN: sh -c 'memside compile --model any --target pnm --kernel ffn; test $? = 2' 2>&1 | FileCheck %s --check-prefix=ANYFFN
// RUN: sh -c 'memside compile --model any --target pnm --budget 4K; test $? = 2' 2>&1 | FileCheck %s --check-prefix=ANYBUDGET
// RUN: sh -c 'memside compile --model llama-3.1-8b --target pnm --kernel ffn; test $? = 2' 2>&1 | FileCheck %s --check-prefix=FFN

// FORM: --emit: a program of the CXL-PNM device has no binary form; allowed: mlir, asm
// NOPNM: --partition: has no meaning for --target pnm; it is for aim
// NOCONTEXT: --context: has no meaning for --target pnm; it is for aim
// NOAIM: --page-size: has no meaning for --target aim; it is for pnm
// PAGE: --page-size: 24 is not a power of two; allowed: 1, 2, 4 to 65536
// ANYAIM: --model: 'any' has names for sizes, which --target pnm alone takes
// ANYFFN: --kernel: --model any has no sizes but those of attention; allowed: attention
// ANYBUDGET: --budget: is cut into pages: give --page-size as well
// FFN: llama-3.1-8b layer 0 ffn: 'pnm.program' op has no attention: the CXL-PNM device has nothing to compute
// PLACE: memside compile: {{.*}}errors.mlir:[[#@LINE+22]]:8: 'linalg.matmul' op multiplies 256 values with a weight of 64 columns; a step is of one request: no batch but 1{{$}}
// SOURCE: one of --model and --input is required
// KERNEL: --kernel{{.*}}qk, sv, attention, ffn
// LAYER: --layer: 32 is not a layer of llama-3.1-8b; allowed: 0 to 31
// STATIC: --access: static reserves rows for a context: give --context TOKENS
// STAGES: layers in 33 pipeline stages; allowed: 1 to 32 stages
// PNM: --pp: CXL-PNM devices have no stages of layers; allowed: 1
// What was asked to be shown is, when a later pass fails too.
// LATER: // after front
// LATER: decode.attention
// LATER: memside compile: {{.*}}over 3 modules
// TILED: // after decode-tile
// TILED: decode.scratch
// TILED: memside compile: {{.*}}a bank has 16384
// MODULES: --modules: 8 is not --tp 3 x --pp 1
// OWN: --kernel: goes with --model; a file has its own
// AFTER: --print-after: 'cse' is no pass that ran; they were: front
// LIBRARY: compiler: cannot be opened: {{.*}}.none
func.func @batch(%x: tensor<4x64xf32>, %w: tensor<64x64xf32>) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>)
      outs(%z : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}
