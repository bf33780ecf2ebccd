// The shape of a 2D convolution, as the command line writes it, and what follows from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace memside::conv {

// n images of h x w pixels and c channels; k kernels of r rows x s columns. Stride, padding and
// dilation are the same in both directions; padding is on all four sides.
struct ConvShape {
    std::int64_t n = 1;
    std::int64_t c = 1;
    std::int64_t h = 1;
    std::int64_t w = 1;
    std::int64_t k = 1;
    std::int64_t r = 1;
    std::int64_t s = 1;
    std::int64_t stride = 1;
    std::int64_t pad = 0;
    std::int64_t dilation = 1;

    std::int64_t out_h() const { return (h + 2 * pad - dilation * (r - 1) - 1) / stride + 1; }
    std::int64_t out_w() const { return (w + 2 * pad - dilation * (s - 1) - 1) / stride + 1; }

    // Products that one output value sums, those with padding included.
    std::int64_t reduction() const { return c * r * s; }

    // Two for each multiply-accumulate, padding included, as everybody counts them.
    double operations() const {
        return 2.0 * static_cast<double>(n * out_h() * out_w() * k) *
               static_cast<double>(reduction());
    }

    bool operator==(const ConvShape&) const = default;
};

// bad_input at `where` unless all sizes are positive and at most 65,536, a kernel fits into the
// padded image, no tensor has more than 2^31 - 1 values and no sum of 8-bit products can leave 32
// bits (at most 65,793 of them).
Status check(const ConvShape& shape, const std::string& where);

// 'N,C,H,W,K,R,S,STRIDE,PAD[,DILATION]', checked.
Result<ConvShape> parse_shape(std::string_view text, const std::string& where);

// The form that parse_shape() reads; the dilation only where it is not 1.
std::string format_shape(const ConvShape& shape);

}  // namespace memside::conv
