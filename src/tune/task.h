// What is tuned: one convolution on one target of one machine. A database keeps trials by task.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace memside::tune {

// N images of H x W pixels and C channels, K kernels of R x S; stride, padding and dilation are
// those of both directions.
struct ConvolutionShape {
    std::int64_t n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1;
    std::int64_t stride = 1, pad = 0, dilation = 1;

    std::int64_t out_h() const { return (h + 2 * pad - dilation * (r - 1) - 1) / stride + 1; }
    std::int64_t out_w() const { return (w + 2 * pad - dilation * (s - 1) - 1) / stride + 1; }
    // Two for each multiplication and addition, those with padding too.
    double operations() const;

    bool operator==(const ConvolutionShape&) const = default;
};

// "N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]". Every number is from 1 to 65,536, the padding from 0; the
// kernel must fit into the padded image. bad_input at `where` otherwise.
Result<ConvolutionShape> parse_convolution(const std::string& text, const std::string& where);
// The form that parse_convolution() reads, always with the dilation.
std::string convolution_text(const ConvolutionShape& shape);

struct Task {
    ConvolutionShape shape;
    std::string dtype;   // "int8", "int4"
    std::string target;  // "x86-vnni"
    int threads = 1;
    std::string machine;  // this_machine()
};

// The processor's name and how many of its threads this process may use: "AMD EPYC 9B45, 2
// threads".
std::string this_machine();

}  // namespace memside::tune
