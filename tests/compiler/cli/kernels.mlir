// memside compile: the kernels of a layer, as the front makes them.
// RUN: memside compile --model llama-3.1-8b --kernel qk --partition hfp | FileCheck %s --check-prefix=QK
// RUN: memside compile --model llama-3.1-8b --kernel sv --context 100 --access static | FileCheck %s --check-prefix=SV
// RUN: memside compile --model llama-3.1-8b --kernel qk --emit bin -o %t.qk
// RUN: memside aim run %t.qk --from-binary --tokens 131072 | FileCheck %s --check-prefix=TIME
// RUN: memside compile --model llama-3.1-8b | FileCheck %s --check-prefix=ROPE
// RUN: memside compile --model llama-3.1-8b --modules 4 --pp 2 --layer 15 | FileCheck %s --check-prefix=STAGE
// RUN: memside compile --model llama-3.1-8b --kernel attention --tp 16 | FileCheck %s --check-prefix=TOKENS
// RUN: memside compile --model llama-3.1-8b --kernel attention --emit asm | FileCheck %s --check-prefix=ASM
// RUN: memside compile --model qwen1.5-7b --kernel layer --emit bin -o %t.bin
// RUN: memside aim run %t.bin --from-binary --tokens 131072 | FileCheck %s --check-prefix=TIME
// RUN: memside compile --model llama-3.1-8b --kernel attention --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=ATTENTION
// RUN: memside compile --model llama-3.1-8b --kernel ffn --emit mlir --print-after=front -o %t 2>&1 | FileCheck %s --check-prefix=FFN

// QK: region 0 "cache 1 key from head 0" of the request, as many rows as it needs, 1 for 128 tokens
// QK: region 1 "scores from head 0" of the request, as many rows as it needs, 4 for 1024 tokens
// QK: MAC_ABK
// QK: WR_SBK
// SV: region 0 "cache 1 value from head 0" rows=
// SV: RD_SBK
// SV: MAC_ABK
// SV: reduce
// ROPE: table 1 of 64 values
// ROPE: rope head_dim=128 {{.*}}table=1 scale=1 theta=500000
// STAGE: # stage 0 of 2: layers 0 to 15
// STAGE: communication=all_reduce module=0 mask=0xffffffff gpr={{[0-9]+}}+256 to={{[0-9]+}} parts=2
// STAGE: op=copy partitioning=copy communication=send module=0 mask=0x0 gpr={{[0-9]+}}+256 to={{[0-9]+}} parts=1 no items
// TOKENS: # one of 2 modules that share the tokens, in blocks of 512
// TOKENS: communication=all_gather
// TOKENS: communication=all_to_all
// TOKENS: combine
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
