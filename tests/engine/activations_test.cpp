#include "engine/activations.h"

#include <cmath>
#include <limits>

#include "engine/random_weights.h"

namespace memside::engine {
namespace {

// The values that the integers of one row stand for.
std::vector<float> rounded(const std::vector<float>& x, int terms = 1) {
    Activations activations(terms);
    activations.set(x.data(), 1, static_cast<std::int64_t>(x.size()));
    activations.reserve_integers();
    activations.quantize_row(0);
    const QuantizedRows rows = activations.integers();
    std::vector<float> values;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::int8_t* n = rows.values + i;
        const int integer = terms == 2 ? 256 * n[0] + n[rows.low_offset()] : n[0];
        values.push_back(rows.scales[i / 16] * static_cast<float>(integer));
    }
    return values;
}

TEST(Activations, two_bytes_keep_256_times_as_much_as_one) {
    const std::vector<float> x = test::random_values(500, 3);
    const std::vector<float> values = rounded(x, 2);
    for (std::size_t i = 0; i < x.size(); ++i) {
        float largest = 0.0F;
        const std::size_t first = i / 32 * 32;
        for (std::size_t j = first; j < std::min(first + 32, x.size()); ++j) {
            largest = std::max(largest, std::abs(x[j]));
        }
        // Half a step, and a rounding of f32 or two.
        EXPECT_NEAR(values[i], x[i], largest * (0.5F / 127.0F / 256.0F + 2e-7F)) << i;
    }
}

TEST(Activations, what_is_not_finite_makes_its_32_nan_and_no_others) {
    for (const float odd :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        std::vector<float> x(96, 1.0F);
        x[40] = odd;
        for (const int terms : {1, 2}) {
            const std::vector<float> values = rounded(x, terms);
            for (std::size_t i = 0; i < x.size(); ++i) {
                EXPECT_EQ(std::isnan(values[i]), i / 32 == 1) << odd << " " << i;
            }
        }
    }
}

TEST(Activations, extreme_sizes_keep_their_order_of_magnitude_or_become_zero) {
    for (const float size : {std::numeric_limits<float>::max() / 2.0F, 1e-30F}) {
        std::vector<float> x(32, size);
        x[1] = -size / 2.0F;
        EXPECT_NEAR(rounded(x)[0] / size, 1.0F, 1e-5F);
        EXPECT_NEAR(rounded(x)[1] / size, -0.5F, 0.005F);
    }
    EXPECT_EQ(rounded(std::vector<float>(32, 1e-44F))[0], 0.0F);
    EXPECT_EQ(rounded(std::vector<float>(32, 0.0F))[0], 0.0F);
}

}  // namespace
}  // namespace memside::engine
