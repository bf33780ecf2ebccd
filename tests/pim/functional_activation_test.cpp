#include "pim/functional_activation.h"

#include <cmath>
#include <limits>
#include <random>

namespace memside::pim {
namespace {

double exact(Activation activation, double x) {
    switch (activation) {
        case Activation::identity:
            return x;
        case Activation::sigmoid:
            return 1 / (1 + std::exp(-x));
        case Activation::tanh:
            return std::tanh(x);
        case Activation::relu:
            return std::fmax(x, 0);
        case Activation::leaky_relu:
            return x >= 0 ? x : 0.01 * x;
        case Activation::gelu:
            return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
        case Activation::silu:
            return x / (1 + std::exp(-x));
        case Activation::exp:
            return std::exp(x);
    }
    return 0;
}

// |result - exact|, and what it may be: the table's error and the rounding of the result.
struct Measured {
    double error = 0;
    double allowed = 0;
};

Measured measure(Activation activation, float x) {
    const double wanted = exact(activation, static_cast<double>(x));
    const auto result = static_cast<double>(to_float(activate(activation, x)));
    const double table = activation == Activation::exp ? activation_error(activation) * wanted
                                                       : activation_error(activation);
    const double before_rounding = std::abs(wanted) + table;
    return {std::abs(result - wanted),
            table + before_rounding * (bf16_roundoff + 0x1p-22) + 0x1p-134};
}

TEST(Activation, every_function_is_within_its_stated_error_of_libm) {
    std::mt19937 random(7);
    for (std::size_t a = 0; a < activation_count; ++a) {
        const auto activation = static_cast<Activation>(a);
        for (int i = 0; i < 300'000; ++i) {
            // Half of them where the tables are, half over all exponents that stay finite.
            const bool near = i % 2 == 0;
            const float x = near ? std::uniform_real_distribution<float>(-20, 20)(random)
                                 : std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random),
                                              std::uniform_int_distribution<int>(-30, 6)(random));
            const Measured measured = measure(activation, x);
            ASSERT_LE(measured.error, measured.allowed) << activation_name(activation) << " " << x;
        }
    }
}

TEST(Activation, stated_errors_of_chords_are_no_more_than_a_tenth_too_large) {
    // step^2 max|f''| / 8, with the second derivatives' maxima from their closed forms.
    const double pi = std::acos(-1.0);
    const double of_sigmoid = 1 / (6 * std::sqrt(3.0));
    const double of_tanh = 4 / (3 * std::sqrt(3.0));
    const double of_gelu = 2 / std::sqrt(2 * pi);
    const std::vector<std::pair<Activation, double>> chords{
        {Activation::sigmoid, of_sigmoid / (16.0 * 16 * 8)},
        {Activation::tanh, of_tanh / (32.0 * 32 * 8)},
        {Activation::gelu, of_gelu / (32.0 * 32 * 8)},
        {Activation::silu, 0.5 / (16.0 * 16 * 8)}};
    for (const auto& [activation, chord] : chords) {
        EXPECT_GE(activation_error(activation), chord) << activation_name(activation);
        EXPECT_LE(activation_error(activation), chord * 1.1) << activation_name(activation);
    }
}

TEST(Activation, identity_and_relu_lose_nothing_of_a_bf16_value) {
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const float x = to_float({static_cast<std::uint16_t>(bits)});
        if (std::isnan(x)) continue;
        EXPECT_EQ(to_float(activate(Activation::identity, x)), x) << bits;
        EXPECT_EQ(to_float(activate(Activation::relu, x)), x > 0 ? x : 0.0F) << bits;
    }
}

TEST(Activation, infinities_give_limits_and_nan_gives_nan) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::vector<std::tuple<Activation, float, float>> limits{
        {Activation::identity, -infinity, infinity},
        {Activation::sigmoid, 0, 1},
        {Activation::tanh, -1, 1},
        {Activation::relu, 0, infinity},
        {Activation::leaky_relu, -infinity, infinity},
        {Activation::gelu, 0, infinity},
        {Activation::silu, 0, infinity},
        {Activation::exp, 0, infinity}};
    ASSERT_EQ(limits.size(), activation_count);
    for (const auto& [activation, left, right] : limits) {
        EXPECT_EQ(to_float(activate(activation, -infinity)), left) << activation_name(activation);
        EXPECT_EQ(to_float(activate(activation, infinity)), right) << activation_name(activation);
        EXPECT_TRUE(std::isnan(to_float(activate(activation, std::nanf("")))))
            << activation_name(activation);
    }
}

TEST(Activation, nodes_are_met_exactly) {
    // Off the rounding to bf16, a node shows the function's own value.
    for (const Activation activation :
         {Activation::sigmoid, Activation::tanh, Activation::gelu, Activation::silu}) {
        for (int i = -100; i <= 100; ++i) {
            const float x = static_cast<float>(i) / 16.0F;
            EXPECT_EQ(activate(activation, x),
                      to_bf16(static_cast<float>(exact(activation, static_cast<double>(x)))))
                << activation_name(activation) << " " << x;
        }
    }
}

}  // namespace
}  // namespace memside::pim
