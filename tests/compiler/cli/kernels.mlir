// memside compile: the kernels of a layer, as the front makes them.
// RUN: memside compile --model llama-3.1-8b --kernel qk --emit mlir --print-after=front --context 4K --access static -o - > %t.out 2> %t.log || true
// RUN: FileCheck %s --check-prefix=QK < %t.log
// RUN: memside compile --model llama-3.1-8b --kernel sv --emit mlir --print-after=front -o - > %t.out 2> %t.log || true
// RUN: FileCheck %s --check-prefix=SV < %t.log
// RUN: memside compile --model llama-3.1-8b --kernel attention --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=ATTENTION
// RUN: memside compile --model llama-3.1-8b --kernel ffn --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=FFN

// QK: // after front
// QK: func.func @qk(%[[Q:.*]]: tensor<32x128xbf16, #decode.axes<[head, channel]>>, %[[K:.*]]: !decode.cache<8 x 128, key>) -> tensor<32x?xbf16, #decode.axes<[head, token]>>
// QK: decode.qk %[[Q]], %[[K]]
// SV: func.func @sv(%[[W:.*]]: tensor<32x?xbf16, #decode.axes<[head, token]>>, %[[V:.*]]: !decode.cache<8 x 128, value>) -> tensor<32x128xbf16, #decode.axes<[head, channel]>>
// SV: decode.sv %[[W]], %[[V]]
// ATTENTION: func.func @attention(
// ATTENTION: decode.attention
// FFN: func.func @ffn(%[[X:.*]]: tensor<4096xbf16, #decode.axes<[channel]>>) -> tensor<4096xbf16, #decode.axes<[channel]>>
// FFN: decode.linear %[[X]], {{.*}} -> tensor<14336xbf16
// FFN: decode.linear %[[X]], {{.*}} -> tensor<14336xbf16
// FFN: decode.gate
// FFN: decode.linear {{.*}} -> tensor<4096xbf16
