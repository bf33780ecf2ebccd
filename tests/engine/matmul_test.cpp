#include "engine/matmul.h"

#include <cmath>

#include "engine/dequantize.h"
#include "engine/random_weights.h"
#include "model/gguf_types.h"

namespace memside::engine {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// What the product should be, and a bound on what rounding to f32 may add.
struct Expected {
    double value = 0.0;
    double tolerance = 0.0;
};

// In f64, from the dequantised weights and the activations as the kernel sees them.
Expected expected_dot(const std::vector<float>& weights, const Activations& x, std::int64_t token,
                      bool integers) {
    Expected expected;
    const QuantizedRows q = x.integers();
    double magnitude = 0.0;
    for (std::int64_t i = 0; i < x.columns(); ++i) {
        double value = static_cast<double>(x.row(token)[i]);
        if (integers) {
            const std::int8_t* n = q.chunk(token, 0) + i;
            const double scale = q.scales[(token * q.chunks * chunk_values + i) / sub_block];
            value = scale * (q.terms == 2 ? 256.0 * n[0] + n[q.low_offset()] : n[0]);
        }
        const double product = static_cast<double>(weights[index(i)]) * value;
        expected.value += product;
        magnitude += std::abs(product);
        // Weights are made of scale x unsigned integer and offset; they are about 1, and each of
        // the two parts is at most about 4.
        magnitude += 4.0 * std::abs(value);
    }
    expected.tolerance = 1e-6 * magnitude + 1e-30;
    return expected;
}

struct Case {
    WeightType type;
    std::int64_t columns;
    std::int64_t tokens;
    std::size_t misaligned;
    int terms;
    bool block;
};

void expect_product(const MatmulVariant& variant, const Case& c) {
    constexpr std::int64_t rows = 10;
    const auto bytes = test::random_weights(c.type, rows * c.columns, 11);
    std::vector<std::uint8_t> memory(c.misaligned + bytes.size());
    std::memcpy(memory.data() + c.misaligned, bytes.data(), bytes.size());
    const Matrix weight{c.type, rows, c.columns, memory.data() + c.misaligned};
    const auto values = test::random_values(index(c.tokens * c.columns), 7, 3.0F);
    Activations x(c.terms);
    x.set(values.data(), c.tokens, c.columns);
    x.reserve_integers();
    for (std::int64_t t = 0; t < c.tokens; ++t) x.quantize_row(t);

    constexpr std::int64_t stride = rows + 2;
    constexpr float untouched = 12345.0F;
    std::vector<float> y(index(c.tokens * stride), untouched);
    std::vector<float> scratch(index(block_rows * padded_columns(c.columns)));
    const MatmulTask task{weight, &x, 1, rows, y.data(), stride, scratch.data()};
    if (c.block) {
        variant.block(task);
    } else {
        variant.rows(task);
    }
    std::vector<float> dequantized(index(c.columns));
    for (std::int64_t r = 0; r < stride; ++r) {
        if (r < rows) dequantize(c.type, weight.row(r), c.columns, dequantized.data());
        for (std::int64_t t = 0; t < c.tokens; ++t) {
            const float got = y[index(t * stride + r)];
            if (r < 1 || r >= rows) {
                ASSERT_EQ(got, untouched);
                continue;
            }
            const Expected want = expected_dot(dequantized, x, t, is_quantized(c.type) && !c.block);
            ASSERT_NEAR(got, want.value, want.tolerance)
                << variant.name << ' ' << find_ggml_type(static_cast<std::uint32_t>(c.type))->name
                << " columns " << c.columns << " token " << t << " of " << c.tokens << " terms "
                << c.terms;
        }
    }
}

TEST(Matmul, every_variant_gives_the_product_in_f64_for_every_type_size_and_alignment) {
    for (const MatmulVariant& variant : matmul_variants()) {
        if (!variant.runs_here()) continue;
        for (const WeightType type : weight_types()) {
            const std::int64_t block = block_values(type);
            for (const std::int64_t blocks : {1, 2, 3, 5, 7, 8, 9, 15, 20, 33}) {
                if (block == 256 && blocks > 5) continue;
                for (const std::int64_t tokens : {1, 2, 4, 5, 8, 16, 23}) {
                    for (const int terms : {1, 2}) {
                        expect_product(variant,
                                       {type, blocks * block, tokens,
                                        static_cast<std::size_t>(blocks % 3), terms, false});
                    }
                    expect_product(variant, {type, blocks * block, tokens,
                                             static_cast<std::size_t>(blocks % 3), 1, true});
                }
            }
        }
    }
}

TEST(Matmul, the_product_on_a_pool_is_that_of_one_thread) {
    constexpr std::int64_t rows = 700;
    constexpr std::int64_t columns = 512;
    const auto bytes = test::random_weights(WeightType::q4_k, rows * columns, 3);
    const Matrix weight{WeightType::q4_k, rows, columns, bytes.data()};
    const auto values = test::random_values(5 * columns, 9);
    std::vector<std::vector<float>> results;
    for (const unsigned threads : {1U, 3U}) {
        ThreadPool pool(threads);
        Activations x;
        x.set(values.data(), 5, columns);
        results.emplace_back(5 * rows);
        matmul(pool, weight, x, results.back().data());
    }
    EXPECT_EQ(results[0], results[1]);
}

TEST(Activations, an_integer_is_within_half_a_step_and_sums_are_exact) {
    constexpr std::int64_t columns = 300;
    auto values = test::random_values(2 * columns, 21, 10.0F);
    for (std::int64_t i = 32; i < 64; ++i) values[index(i)] = 0.0F;
    Activations x;
    x.set(values.data(), 2, columns);
    x.reserve_integers();
    for (std::int64_t row = 0; row < 2; ++row) x.quantize_row(row);
    const QuantizedRows q = x.integers();
    ASSERT_EQ(q.chunks, 2);
    for (std::int64_t i = 0; i < 2 * 512; ++i) {
        const std::int64_t row = i / 512;
        const float value = i % 512 < columns ? values[index(row * columns + i % 512)] : 0.0F;
        const float scale = q.scales[i / sub_block];
        EXPECT_NEAR(scale * static_cast<float>(q.values[i]), value, 0.501F * scale);
    }
    for (std::int64_t s = 0; s < 64; ++s) {
        int sum = 0;
        for (std::int64_t i = 0; i < sub_block; ++i) sum += q.values[s * sub_block + i];
        EXPECT_FLOAT_EQ(q.sums[s], q.scales[s] * static_cast<float>(sum));
    }
}

}  // namespace
}  // namespace memside::engine
