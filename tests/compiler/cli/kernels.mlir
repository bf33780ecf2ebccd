// memside compile: the kernels of a layer, as the front makes them.
// RUN: sh -c 'memside compile --model llama-3.1-8b --kernel qk; test $? = 2' 2>&1 | FileCheck %s --check-prefix=QK
// RUN: sh -c 'memside compile --model llama-3.1-8b --kernel sv; test $? = 2' 2>&1 | FileCheck %s --check-prefix=SV
// RUN: sh -c 'memside compile --model llama-3.1-8b; test $? = 2' 2>&1 | FileCheck %s --check-prefix=ROPE
// RUN: memside compile --model llama-3.1-8b --kernel attention --emit asm | FileCheck %s --check-prefix=ASM
// RUN: memside compile --model qwen1.5-7b --kernel layer --emit bin -o %t.bin
// RUN: memside aim run %t.bin --from-binary --tokens 131072 | FileCheck %s --check-prefix=TIME
// RUN: memside compile --model llama-3.1-8b --kernel attention --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=ATTENTION
// RUN: memside compile --model llama-3.1-8b --kernel ffn --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=FFN

// QK: llama-3.1-8b layer 0 qk: 'decode.qk' op is compiled together with softmax and sv, which are not there
// SV: llama-3.1-8b layer 0 sv: 'decode.sv' op needs weights of a decode.softmax that nothing else uses
// ROPE: llama-3.1-8b layer 0 rope: 'decode.rope' op divides its angles, which the hub's unit cannot
// ASM: MAC_ABK
// ASM: softmax_block
// ASM: MAC_ABK
// ASM: softmax_finish
// TIME: 131{{.?}}072
// ATTENTION: func.func @attention(
// ATTENTION: decode.attention
// FFN: func.func @ffn(%[[X:.*]]: tensor<4096xbf16, #decode.axes<[channel]>>) -> tensor<4096xbf16, #decode.axes<[channel]>>
// FFN: decode.linear %[[X]], {{.*}} -> tensor<14336xbf16
// FFN: decode.linear %[[X]], {{.*}} -> tensor<14336xbf16
// FFN: decode.gate
// FFN: decode.linear {{.*}} -> tensor<4096xbf16
