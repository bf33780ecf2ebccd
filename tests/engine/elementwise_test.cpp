#include "engine/elementwise.h"

#include <cmath>

#include "engine/random_weights.h"

namespace memside::engine {
namespace {

TEST(Elementwise, rms_norm_is_the_formula_at_every_length) {
    for (const std::size_t count : {1U, 5U, 16U, 33U, 640U}) {
        const auto x = test::random_values(count, 1, 5.0F);
        const auto weight = test::random_values(count, 2);
        double squares = 0.0;
        for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(count) + 1e-5);
        std::vector<float> out = x;  // in place
        rms_norm(out.data(), weight.data(), 1e-5F, static_cast<std::int64_t>(count), out.data());
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_NEAR(out[i], static_cast<double>(x[i]) * scale * static_cast<double>(weight[i]),
                        1e-6);
        }
    }
}

TEST(Elementwise, gates_follow_their_definitions_over_the_whole_range) {
    constexpr double root = 0.7978845608028654;  // sqrt(2 / pi)
    for (float x = -100.0F; x <= 100.0F; x += 0.0371F) {
        const double exact = static_cast<double>(x);
        float silu = x;
        const float up = 2.0F;
        apply_gate(FfnGate::silu, &silu, &up, 1);
        const double want_silu = 2.0 * exact / (1.0 + std::exp(-exact));
        ASSERT_NEAR(silu, want_silu, 3e-7 * std::abs(want_silu) + 1e-35) << x;
        float gelu = x;
        apply_gate(FfnGate::gelu_tanh, &gelu, &up, 1);
        const double u = root * (exact + 0.044715 * exact * exact * exact);
        const double want_gelu = exact * (1.0 + std::tanh(u));
        // Where tanh is near -1, the reference itself has lost its digits.
        ASSERT_NEAR(gelu, want_gelu, 2e-6 * std::abs(want_gelu) + 1e-13) << x;
    }
}

TEST(Elementwise, a_cap_bends_large_values_and_leaves_small_ones) {
    float x[3] = {1e-3F, 30.0F, -1e6F};
    soft_cap(x, 30.0F, 3);
    EXPECT_NEAR(x[0], 1e-3F, 1e-9);
    EXPECT_NEAR(x[1], 30.0 * std::tanh(1.0), 1e-5);
    EXPECT_EQ(x[2], -30.0F);
}

}  // namespace
}  // namespace memside::engine
