#include "pnm/functional_sfu.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>

namespace memside::pnm {
namespace {

// Entries of a function on [1, 2) (or an exponent's fraction on [0, 1)), in fixed point.
template <int log2_segments, int fraction_bits>
class Table {
  public:
    template <typename Function>
    explicit Table(const Function& function) {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const double at = std::ldexp(static_cast<double>(i), -log2_segments);
            entries_[i] = std::llround(std::ldexp(function(at), fraction_bits));
        }
    }
    // `position` in [0, 1) with 23 bits.
    float operator()(std::uint32_t position) const {
        constexpr int rest_bits = 23 - log2_segments;
        const std::size_t segment = position >> rest_bits;
        const std::int64_t rest = position & ((1U << rest_bits) - 1U);
        const std::int64_t rise = entries_[segment + 1] - entries_[segment];
        const std::int64_t value = (entries_[segment] << rest_bits) + rise * rest;
        return std::ldexp(static_cast<float>(value), -fraction_bits - rest_bits);
    }

  private:
    std::array<std::int64_t, (std::size_t{1} << log2_segments) + 1> entries_;
};

}  // namespace

float sfu_exp2(float y) {
    assert(y <= 0.0F);
    static const Table<6, 16> power_of_two([](double f) { return std::exp2(f); });
    if (!(y >= -126.0F)) return 0.0F;
    const float whole = std::floor(y);
    const auto fraction = static_cast<std::uint32_t>((y - whole) * 0x1p23F);
    // A fraction that FP32 rounds up to 1 is the next power of two.
    if (fraction >= 1U << 23) return std::ldexp(1.0F, static_cast<int>(whole) + 1);
    return std::ldexp(power_of_two(fraction), static_cast<int>(whole));
}

float sfu_reciprocal(float x) {
    assert(std::isnormal(x) && x > 0.0F);
    static const Table<7, 17> inverse([](double f) { return 1.0 / (1.0 + f); });
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const int exponent = static_cast<int>(bits >> 23) - 127;
    return std::ldexp(inverse(bits & 0x7FFFFFU), -exponent);
}

}  // namespace memside::pnm
