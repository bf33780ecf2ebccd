// What another library is asked for, to be measured beside generated convolutions: a shared library
// with these functions, so that versions of one library with the same symbols run in one program.
// u8 x s8 to u8: output = clip(relu(scale[k] * (sum + bias[k]))), zero points 0.
#pragma once

#include <cstdint>

extern "C" {

struct MemsidePeerShape {
    std::int64_t n, c, h, w, k, r, s, stride, pad, dilation;  // dilation 1: none
    std::int64_t out_h, out_w;
};

// Read while peer_create() runs only.
struct MemsidePeerOperands {
    const std::uint8_t* input;   // [n][h][w][c]
    const std::int8_t* weights;  // [k][r][s][c]
    const std::int32_t* bias;    // [k]
    const float* scale;          // [k]
};

// What is measured, with its version. Of the library, which outlives the answer.
const char* memside_peer_name();
// Brings the operands into the layouts that it likes best. nullptr: `reason` says why, of at most
// `reason_bytes` with its final 0.
void* memside_peer_create(const MemsidePeerShape* shape, const MemsidePeerOperands* operands,
                          char* reason, std::uint64_t reason_bytes);
// One convolution, finished when it returns.
void memside_peer_run(void* peer);
// What the last run made, as [n][out_h][out_w][k].
void memside_peer_output(void* peer, std::uint8_t* bytes);
// The name of the implementation that the library chose.
const char* memside_peer_implementation(void* peer);
void memside_peer_destroy(void* peer);
}
