// IEEE 754 binary16 by arithmetic, with the rounding direction as a choice: digests need bounds
// that stay bounds. Slow and obvious; the kernels that convert in bulk are tested against it.
#pragma once

#include <cstdint>

namespace memside::kv {

enum class RoundTo {
    nearest,  // ties to even; beyond the range it saturates at +-65504, so that scores stay finite
    down,     // the largest half <= value; below -65504 that is -infinity
    up,       // the smallest half >= value; above 65504 that is +infinity
};

inline constexpr float half_max = 65504.0F;

// The bits of the half that `value` rounds to. `value` must not be NaN.
std::uint16_t half_from_float(float value, RoundTo direction);

// The exact value of a half. NaN bits give NaN.
float half_to_float(std::uint16_t bits);

}  // namespace memside::kv
