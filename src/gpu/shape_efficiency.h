// What shape does to a GPU kernel: how much of the machine a matrix product or a decode attention
// of given size can keep busy. Quantisation only; the efficiency of a full machine is a constant of
// the GPU's description.
#pragma once

namespace memside::gpu {

// Streaming multiprocessors and the work that one of them takes at a time.
struct Machine {
    double multiprocessors = 0;
    double tile = 0;         // rows and columns of a thread block's output tile
    double instruction = 0;  // columns of one tensor-core instruction: the batch is padded to it
    double kv_chunk = 0;     // tokens that one thread block of split-KV attention takes
};

// Share of the arithmetic of y[m, n] = x[m, k] W[k, n] that is useful when the machine is busy: the
// padding of m to whole instructions, n to whole tiles, and the last wave of tiles. Thread blocks
// split k where that fills the last wave better, into at most 8 parts. In (0, 1].
double gemm_efficiency(const Machine& machine, double m, double n);

// Share of the multiprocessors that decode attention keeps busy: one thread block per request, KV
// head and chunk of tokens (flash-decoding), in whole waves. In (0, 1].
double attention_efficiency(const Machine& machine, double requests, double kv_heads,
                            double tokens);

// Share that attention within a prompt keeps busy: one thread block per query head and tile of
// queries, in whole waves. In (0, 1].
double prompt_efficiency(const Machine& machine, double query_heads, double tokens);

}  // namespace memside::gpu
