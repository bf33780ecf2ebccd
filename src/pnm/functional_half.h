// FP16 (IEEE 754 binary16) as the device stores it.
#pragma once

#include <cstdint>

namespace memside::pnm {

struct Half {
    std::uint16_t bits = 0;
    bool operator==(const Half&) const = default;
};

inline constexpr float half_max = 65504.0F;
// Relative error of a rounding in the normal range, and absolute error below it.
inline constexpr double half_roundoff = 0x1p-11;
inline constexpr double half_subnormal_roundoff = 0x1p-25;

// To nearest, ties to even. Beyond the range it saturates, so that sums stay finite. NaN stays NaN.
Half to_half(float value);
float to_float(Half value);

}  // namespace memside::pnm
