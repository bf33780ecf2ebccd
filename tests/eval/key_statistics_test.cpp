#include "eval/key_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "eval/symmetric_eigen.h"

namespace memside::eval {
namespace {

constexpr int dim = 6;
constexpr std::int64_t page_tokens = 16;

// Keys along two directions: one that lasts over a page, one of each token; a mean on top.
std::vector<float> some_keys(std::int64_t tokens) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    std::vector<float> keys;
    double slow = 0.0;
    for (std::int64_t t = 0; t < tokens; ++t) {
        if (t % page_tokens == 0) slow = 3.0 * normal(random);
        const double fast = 2.0 * normal(random);
        for (int d = 0; d < dim; ++d) {
            double value = 0.1 * normal(random) + d;
            if (d < 3) value += slow / std::sqrt(3.0);
            if (d >= 3) value += fast / std::sqrt(3.0);
            keys.push_back(static_cast<float>(value));
        }
    }
    return keys;
}

TEST(SymmetricEigen, vectors_times_values_give_the_matrix_back) {
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    for (const int n : {1, 2, 5, 40}) {
        const auto size = static_cast<std::size_t>(n);
        std::vector<double> matrix(size * size);
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = i; j < size; ++j) {
                matrix[i * size + j] = matrix[j * size + i] = normal(random);
            }
        }
        const SymmetricEigen eigen = symmetric_eigen(matrix, n);
        for (std::size_t i = 0; i < size; ++i) {
            EXPECT_LE(eigen.values[i], eigen.values[i > 0 ? i - 1 : 0]);
            for (std::size_t j = 0; j < size; ++j) {
                double product = 0.0;
                double overlap = 0.0;
                for (std::size_t k = 0; k < size; ++k) {
                    product +=
                        eigen.values[k] * eigen.vectors[k * size + i] * eigen.vectors[k * size + j];
                    overlap += eigen.vectors[i * size + k] * eigen.vectors[j * size + k];
                }
                EXPECT_NEAR(product, matrix[i * size + j], 1e-9);
                EXPECT_NEAR(overlap, i == j ? 1.0 : 0.0, 1e-9);
            }
        }
    }
}

TEST(KeyStatistics, axes_and_page_shares_are_those_of_the_construction) {
    const KeyStatistics found = measure_keys(some_keys(16000), dim, page_tokens);
    for (int d = 0; d < dim; ++d) EXPECT_NEAR(found.mean[static_cast<std::size_t>(d)], d, 0.2);
    EXPECT_NEAR(found.variance[0], 9.0, 0.7);
    EXPECT_NEAR(found.page_share[0], 1.0, 0.01);  // the same over a page
    EXPECT_NEAR(found.variance[1], 4.0, 0.3);
    EXPECT_NEAR(found.page_share[1], 1.0 / page_tokens, 0.01);  // each token for itself
    EXPECT_NEAR(found.kurtosis, 3.0, 0.2);
    EXPECT_NEAR(found.effective_axes(), 169.0 / 97.0, 0.1);
    // Of 16 normal values the range is 3.53 deviations; along the slow axis there is hardly any.
    EXPECT_NEAR(found.box_width, 0.5 * 3.53 + 0.5 * 3.53 * 0.1 / std::sqrt(3.0), 0.15);
}

TEST(KeyStatistics, the_coefficient_of_a_share_is_the_inverse_of_the_closed_form) {
    EXPECT_EQ(coefficient_of_share(1.0 / 64, 64), 0.0);
    EXPECT_EQ(coefficient_of_share(0.001, 64), 0.0);
    EXPECT_EQ(coefficient_of_share(1.0, 64), 0.9999);
    for (const double keep : {0.3, 0.8, 0.97, 0.999}) {
        // (1 + keep)/(1 - keep) - 2 keep (1 - keep^n) / (n (1 - keep)^2), over n.
        const double n = 64.0;
        const double share = ((1 + keep) / (1 - keep) -
                              2 * keep * (1 - std::pow(keep, n)) / (n * (1 - keep) * (1 - keep))) /
                             n;
        EXPECT_NEAR(coefficient_of_share(share, 64), keep, 1e-6);
    }
}

TEST(KeyGenerator, drawn_keys_have_the_statistics_that_they_are_drawn_from) {
    const KeyStatistics wanted = measure_keys(some_keys(16000), dim, page_tokens);
    const KeyGenerator generator(wanted);
    std::vector<float> all;
    std::vector<float> run(static_cast<std::size_t>(KeyGenerator::run_tokens * dim));
    for (std::int64_t i = 0; i < 8; ++i) {
        generator.draw(3, i, run);
        all.insert(all.end(), run.begin(), run.end());
    }
    // An axis that lasts takes hundreds of tokens to turn: the coefficient at the limit gives the
    // page share, and over a run of 4,096 tokens few independent values.
    const KeyStatistics found = measure_keys(all, dim, page_tokens);
    EXPECT_NEAR(found.variance[1] / wanted.variance[1], 1.0, 0.1);
    EXPECT_NEAR(found.page_share[1], wanted.page_share[1], 0.02);
    for (std::size_t d = 3; d < dim; ++d) EXPECT_NEAR(found.mean[d], wanted.mean[d], 0.1);
    EXPECT_NEAR(found.kurtosis, 3.0, 0.8);
    // The same run again, whoever asks.
    std::vector<float> again(run.size());
    generator.draw(3, 7, again);
    EXPECT_EQ(run, again);
    generator.draw(4, 7, again);
    EXPECT_NE(run, again);
}

}  // namespace
}  // namespace memside::eval
