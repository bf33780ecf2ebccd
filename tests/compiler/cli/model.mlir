// memside compile: a layer of a model as `decode`.
// RUN: memside compile --model llama-3.1-8b --layer 3 --target pnm --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=LLAMA
// RUN: memside compile --model gemma-3-270m --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=GEMMA
// RUN: memside compile --model gemma-3-270m --layer 5 --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=FULL
// RUN: memside compile --model qwen2.5-0.5b --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=QWEN2
// RUN: memside compile --model qwen3-0.6b --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=QWEN3

// LLAMA: func.func @layer(%[[X:.*]]: tensor<4096xbf16, #decode.axes<[channel]>>, %[[K:.*]]: !decode.cache<8 x 128, key>, %[[V:.*]]: !decode.cache<8 x 128, value>)
// LLAMA-SAME: attributes {decode.layer = 3 : i64, decode.layers = 32 : i64, decode.model = "llama-3.1-8b"}
// LLAMA: decode.weight "blk.3.attn_norm.weight" : tensor<4096xbf16
// LLAMA: decode.rms_norm %[[X]], %{{.*}} {eps = 9.99999974E-6 : f32
// LLAMA: decode.weight "blk.3.attn_q.weight" : tensor<4096x4096xbf16, #decode.axes<[row, column]>>
// LLAMA: decode.linear %{{.*}}, %{{.*}} {op_type = #decode.op_type<gemv>} : {{.*}} -> tensor<32x128xbf16, #decode.axes<[head, channel]>>
// LLAMA: decode.weight "rope_freqs.weight" {{.*}}values = array<f32: 1.000000e+00, {{.*}}8.000000e+00>} : tensor<64xf32
// LLAMA: decode.rope %{{.*}} over %{{.*}} {op_type = #decode.op_type<rope>, style = #decode.rope_style<adjacent>, theta = 5.000000e+05 : f32}
// LLAMA: decode.append %[[K]]
// LLAMA: decode.append %[[V]]
// LLAMA: decode.attention {{.*}} {op_type = #decode.op_type<attention>, scale = 0.0883883461 : f32}
// LLAMA: decode.add %[[X]]
// LLAMA: decode.gate %{{.*}}, %{{.*}} <silu>
// LLAMA: decode.add
// LLAMA: return

// Norms on each side of a branch and on heads; a layer that slides, and its base.
// GEMMA: decode.weight "blk.0.attn_q_norm.weight" : tensor<256xbf16
// GEMMA: decode.rms_norm {{.*}} : tensor<4x256xbf16
// GEMMA: decode.rope %{{.*}} {op_type = #decode.op_type<rope>, theta = 1.000000e+04 : f32}
// GEMMA: decode.attention {{.*}} {op_type = #decode.op_type<attention>, scale = 6.250000e-02 : f32, window = 512 : i64}
// GEMMA: decode.weight "blk.0.post_attention_norm.weight"
// GEMMA: decode.gate %{{.*}}, %{{.*}} <gelu_tanh>
// GEMMA: decode.weight "blk.0.post_ffw_norm.weight"

// FULL: theta = 1.000000e+06 : f32
// FULL: decode.attention {{.*}} {op_type = #decode.op_type<attention>, scale = 6.250000e-02 : f32} :

// QWEN2: decode.weight "blk.0.attn_q.bias" : tensor<896xbf16
// QWEN2: decode.linear %{{.*}}, %{{.*}} bias %{{.*}} {op_type
// QWEN2-NOT: attn_output.bias

// QWEN3-NOT: .bias
// QWEN3: decode.weight "blk.0.attn_k_norm.weight" : tensor<128xbf16
