#include "eval/symmetric_eigen.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace memside::eval {

SymmetricEigen symmetric_eigen(std::vector<double> matrix, int n) {
    const auto size = static_cast<std::size_t>(n);
    assert(matrix.size() == size * size);
    std::vector<double> vectors(size * size, 0.0);
    double total = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
        vectors[i * size + i] = 1.0;
        for (std::size_t j = 0; j < i; ++j) matrix[i * size + j] = matrix[j * size + i];
        for (std::size_t j = 0; j < size; ++j) total += matrix[i * size + j] * matrix[i * size + j];
    }
    for (int sweep = 0; sweep < 60; ++sweep) {
        double off = 0.0;
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                off += matrix[p * size + q] * matrix[p * size + q];
            }
        }
        if (off <= 1e-24 * total) break;
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                const double between = matrix[p * size + q];
                if (between * between <= 1e-30 * total) continue;
                const double theta =
                    (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * between);
                const double t = (theta >= 0.0 ? 1.0 : -1.0) /
                                 (std::abs(theta) + std::sqrt(theta * theta + 1.0));
                const double c = 1.0 / std::sqrt(t * t + 1.0);
                const double s = t * c;
                double* row_p = matrix.data() + p * size;
                double* row_q = matrix.data() + q * size;
                for (std::size_t k = 0; k < size; ++k) {
                    const double a = row_p[k];
                    const double b = row_q[k];
                    row_p[k] = c * a - s * b;
                    row_q[k] = s * a + c * b;
                }
                for (std::size_t k = 0; k < size; ++k) {
                    double* row = matrix.data() + k * size;
                    const double a = row[p];
                    const double b = row[q];
                    row[p] = c * a - s * b;
                    row[q] = s * a + c * b;
                }
                double* vector_p = vectors.data() + p * size;
                double* vector_q = vectors.data() + q * size;
                for (std::size_t k = 0; k < size; ++k) {
                    const double a = vector_p[k];
                    const double b = vector_q[k];
                    vector_p[k] = c * a - s * b;
                    vector_q[k] = s * a + c * b;
                }
            }
        }
    }
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return matrix[a * size + a] > matrix[b * size + b];
    });
    SymmetricEigen result;
    for (const std::size_t i : order) {
        result.values.push_back(matrix[i * size + i]);
        result.vectors.insert(result.vectors.end(), vectors.begin() + std::ptrdiff_t(i * size),
                              vectors.begin() + std::ptrdiff_t((i + 1) * size));
    }
    return result;
}

}  // namespace memside::eval
