// What a reduced-precision convolution computes, to the bit: types, zero points, requantisation,
// the layouts of its tensors, and the slow reference that every generated kernel must equal.
//
//   sum[k]  = sum over r, s, c of (input - input_zero_point) x weight      (outside the image: 0)
//   y       = ((sum + bias[k]) x multiplier[k] + 2^(shift[k] - 1)) >> shift[k]     (64-bit, floor)
//   output  = clip(y + output_zero_point), from the zero point upwards with ReLU
// sum + bias is taken modulo 2^32.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conv/conv_shape.h"

namespace memside::conv {

enum class ByteType : std::int32_t { u8, s8 };    // activations
enum class WeightType : std::int32_t { s8, s4 };  // s4: -8 to 7, two per byte inside a kernel

// Names in the order of the enumerators.
inline constexpr std::array<std::string_view, 2> byte_type_names{"u8", "s8"};
inline constexpr std::array<std::string_view, 2> weight_type_names{"s8", "s4"};

// A plain structure of integers: it crosses the border of the code generator's library.
struct ConvProblem {
    ConvShape shape;
    ByteType input = ByteType::u8;
    WeightType weight = WeightType::s8;
    ByteType output = ByteType::u8;
    std::int32_t input_zero_point = 0;
    std::int32_t output_zero_point = 0;
    bool relu = true;

    // The range that an output is clipped to.
    std::int32_t output_low() const;
    std::int32_t output_high() const;

    bool operator==(const ConvProblem&) const = default;
};

inline constexpr std::int32_t lowest(ByteType type) {
    return type == ByteType::u8 ? 0 : -128;
}
inline constexpr std::int32_t highest(ByteType type) {
    return type == ByteType::u8 ? 255 : 127;
}

// bad_input at `where` for a wrong shape, or a zero point outside its type.
Status check(const ConvProblem& problem, const std::string& where);

// The dyadic scale of each output channel, multiplier / 2^shift, and its bias.
struct Requantisation {
    std::vector<std::int32_t> bias;        // [k], at most 2^30 in magnitude
    std::vector<std::int32_t> multiplier;  // [k], not negative
    std::vector<std::int32_t> shift;       // [k], min_shift to max_shift
};

// With these a kernel needs the high halves of 32 x 32-bit products alone. They leave scales below
// 1/4: a larger one would send a single product of 8-bit numbers far beyond 8 bits.
inline constexpr std::int32_t min_shift = 33;
inline constexpr std::int32_t max_shift = 53;

// The dyadic number nearest to `scale`, with 31 significant bits where it is large enough.
struct DyadicScale {
    std::int32_t multiplier;
    std::int32_t shift;
};
// bad_input at `where` unless 0 <= scale < 1/4.
Result<DyadicScale> dyadic_scale(double scale, const std::string& where);

// bad_input at `where` for tables of a wrong length or values outside the ranges above.
Status check(const ConvProblem& problem, const Requantisation& requantisation,
             const std::string& where);

// How activations lie in memory.
enum class Layout : std::int32_t {
    plain,  // [n][h][w][c]
    tiled,  // [n][ceil(c / tile)][h][w][tile], tile = channel_tile(c): a pixel's tile is a cache
            // line
};
inline constexpr std::array<std::string_view, 2> layout_names{"plain", "tiled"};

// Channels in one tile: 64 bytes, fewer where c is below 64 (then a multiple of 4).
std::int64_t channel_tile(std::int64_t c);

// Bytes of n x h x w x c activations.
std::int64_t layout_bytes(Layout layout, std::int64_t n, std::int64_t h, std::int64_t w,
                          std::int64_t c);
inline std::int64_t input_bytes(const ConvShape& shape, Layout layout) {
    return layout_bytes(layout, shape.n, shape.h, shape.w, shape.c);
}
inline std::int64_t output_bytes(const ConvShape& shape, Layout layout) {
    return layout_bytes(layout, shape.n, shape.out_h(), shape.out_w(), shape.k);
}

// Between plain and `layout`; to_layout() fills channels beyond c with zero, from_layout() drops
// them. Sizes must be those of layout_bytes().
std::vector<std::uint8_t> to_layout(std::span<const std::uint8_t> plain, Layout layout,
                                    std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c);
std::vector<std::uint8_t> from_layout(std::span<const std::uint8_t> bytes, Layout layout,
                                      std::int64_t n, std::int64_t h, std::int64_t w,
                                      std::int64_t c);

// Everything in plain loops. `input`: plain layout, s8 as its two's complement byte; `weights`:
// [k][r][s][c], one number per element for s4 too. The answer is in plain layout. The problem and
// the tables must have passed check(), the sizes must fit.
std::vector<std::uint8_t> convolve_reference(const ConvProblem& problem,
                                             std::span<const std::uint8_t> input,
                                             std::span<const std::int8_t> weights,
                                             const Requantisation& requantisation);

// Random operands of a problem, equal for equal seeds, with scales that use the whole output range.
struct ConvOperands {
    std::vector<std::uint8_t> input;   // plain layout
    std::vector<std::int8_t> weights;  // [k][r][s][c]
    Requantisation requantisation;
};
ConvOperands random_operands(const ConvProblem& problem, std::uint64_t seed);

}  // namespace memside::conv
