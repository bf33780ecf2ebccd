// The special function unit on data: exponential and reciprocal from tables with linear
// interpolation, in fixed point.
//
// 2^y, y <= 0: y = i + f with f in [0, 1) to 23 bits, truncated; 2^f between 65 entries of 17 bits
//   (1.16). e^x is 2^(x log2 e), and attention puts the factor into the scale of its scores.
//   Relative error: the chord of a segment (ln 2 / 64)^2 / 8 = 1.5e-5, the entries' rounding
//   2^-17 = 7.6e-6, and what little f and the result lose; together below 2.4e-5. Below 2^-126 the
//   result is 0.
// 1 / x, x > 0: the fraction of x in [1, 2) between 129 entries of 18 bits (1.17). Relative error:
//   the chord (1 / 128)^2 / 4 = 1.5e-5, the entries' rounding 2^-18 x 2 = 7.6e-6; together below
//   2.4e-5.
#pragma once

namespace memside::pnm {

inline constexpr double exp2_relative_error = 2.4e-5;
inline constexpr double exp2_underflow = 0x1p-126;  // absolute, where the result is 0
inline constexpr double reciprocal_relative_error = 2.4e-5;

// y <= 0; -infinity gives 0. 2^y of a whole number is exact.
float sfu_exp2(float y);

// x a normal positive number.
float sfu_reciprocal(float x);

}  // namespace memside::pnm
