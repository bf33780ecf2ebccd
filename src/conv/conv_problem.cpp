#include "conv/conv_problem.h"

#include <cassert>
#include <cmath>

namespace memside::conv {
namespace {

constexpr std::int32_t max_bias = std::int32_t{1} << 30;

Status check_table(std::span<const std::int32_t> table, std::int64_t k, std::int32_t low,
                   std::int32_t high, const char* name, const std::string& where) {
    if (std::ssize(table) != k) {
        return bad_input(
            where, fmt::format("{} has {} values for {} output channels", name, table.size(), k));
    }
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (table[i] < low || table[i] > high) {
            return bad_input(where, fmt::format("{} of channel {} is {}; allowed: {} to {}", name,
                                                i, table[i], low, high));
        }
    }
    return {};
}

Status check_zero_point(std::int32_t value, ByteType type, const char* name,
                        const std::string& where) {
    if (value < lowest(type) || value > highest(type)) {
        return bad_input(
            where, fmt::format("the {} zero point is {}; allowed for {}: {} to {}", name, value,
                               byte_type_names[static_cast<std::size_t>(type)], lowest(type),
                               highest(type)));
    }
    return {};
}

}  // namespace

std::int32_t ConvProblem::output_low() const {
    return relu ? output_zero_point : lowest(output);
}
std::int32_t ConvProblem::output_high() const {
    return highest(output);
}

Status check(const ConvProblem& problem, const std::string& where) {
    MEMSIDE_CHECK(check(problem.shape, where));
    MEMSIDE_CHECK(check_zero_point(problem.input_zero_point, problem.input, "input", where));
    return check_zero_point(problem.output_zero_point, problem.output, "output", where);
}

Result<DyadicScale> dyadic_scale(double scale, const std::string& where) {
    if (!(scale >= 0.0 && scale < 0.25)) {
        return bad_input(where, fmt::format("the scale is {}; allowed: 0 to below 1/4", scale));
    }
    // The multiplier that frexp's 0.5 to 1 becomes has 31 bits; a scale below 2^-22 loses some.
    int exponent = 0;
    std::frexp(scale, &exponent);
    std::int32_t shift = std::min(31 - exponent, max_shift);
    double multiplier = std::nearbyint(std::ldexp(scale, shift));
    if (multiplier >= 2147483648.0) {
        multiplier /= 2;
        shift -= 1;
    }
    if (scale == 0.0) shift = min_shift;
    // Just below 1/4, rounding may ask for a shift too small by one.
    if (shift < min_shift) return DyadicScale{2147483647, min_shift};
    return DyadicScale{static_cast<std::int32_t>(multiplier), shift};
}

Status check(const ConvProblem& problem, const Requantisation& requantisation,
             const std::string& where) {
    const std::int64_t k = problem.shape.k;
    MEMSIDE_CHECK(check_table(requantisation.bias, k, -max_bias, max_bias, "the bias", where));
    MEMSIDE_CHECK(
        check_table(requantisation.multiplier, k, 0, 2147483647, "the multiplier", where));
    return check_table(requantisation.shift, k, min_shift, max_shift, "the shift", where);
}

std::int64_t channel_tile(std::int64_t c) {
    return c >= 64 ? 64 : (c + 3) / 4 * 4;
}

std::int64_t layout_bytes(Layout layout, std::int64_t n, std::int64_t h, std::int64_t w,
                          std::int64_t c) {
    if (layout == Layout::plain) return n * h * w * c;
    const std::int64_t tile = channel_tile(c);
    return n * ((c + tile - 1) / tile) * h * w * tile;
}

namespace {

// Calls visit(plain index, tiled index) for every value.
template <typename Visit>
void for_each_value(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c,
                    const Visit& visit) {
    const std::int64_t tile = channel_tile(c);
    const std::int64_t tiles = (c + tile - 1) / tile;
    std::size_t plain = 0;
    for (std::int64_t image = 0; image < n; ++image) {
        for (std::int64_t pixel = 0; pixel < h * w; ++pixel) {
            for (std::int64_t channel = 0; channel < c; ++channel) {
                const std::int64_t row = (image * tiles + channel / tile) * h * w + pixel;
                visit(plain++, static_cast<std::size_t>(row * tile + channel % tile));
            }
        }
    }
}

}  // namespace

std::vector<std::uint8_t> to_layout(std::span<const std::uint8_t> plain, Layout layout,
                                    std::int64_t n, std::int64_t h, std::int64_t w,
                                    std::int64_t c) {
    assert(std::ssize(plain) == n * h * w * c);
    if (layout == Layout::plain) return {plain.begin(), plain.end()};
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(layout_bytes(layout, n, h, w, c)));
    for_each_value(n, h, w, c, [&](std::size_t from, std::size_t to) { bytes[to] = plain[from]; });
    return bytes;
}

std::vector<std::uint8_t> from_layout(std::span<const std::uint8_t> bytes, Layout layout,
                                      std::int64_t n, std::int64_t h, std::int64_t w,
                                      std::int64_t c) {
    assert(std::ssize(bytes) == layout_bytes(layout, n, h, w, c));
    if (layout == Layout::plain) return {bytes.begin(), bytes.end()};
    std::vector<std::uint8_t> plain(static_cast<std::size_t>(n * h * w * c));
    for_each_value(n, h, w, c, [&](std::size_t to, std::size_t from) { plain[to] = bytes[from]; });
    return plain;
}

}  // namespace memside::conv
