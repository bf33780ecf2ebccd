// Weights x activations: y[t][r] = sum_i W[r][i] x[t][i], for a block of tokens t. One token is a
// decode step, whose speed is that of reading the weights; more are prefill, where each row of
// weights is read once for all of them.
//
// Quantised weights of every type are taken as integer u (0 to 255) times a scale plus an offset,
// both per 16 values: W = scale u + offset. Then W.x = sum of scale_w scale_x (u.q) + offset (sum
// of x), where u.q is an integer dot product and the sum of x is known from the quantisation of x.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/activations.h"
#include "engine/thread_pool.h"
#include "engine/weight_type.h"

namespace memside::engine {

// Rows [first, last) of the product, written to y[t x y_stride + r].
struct MatmulTask {
    Matrix weight;
    const Activations* activations = nullptr;
    std::int64_t first = 0;
    std::int64_t last = 0;
    float* y = nullptr;
    std::int64_t y_stride = 0;
};

struct MatmulVariant {
    std::string_view name;
    bool (*runs_here)();
    // Quantised weights with the integers of the activations, others with their f32.
    void (*rows)(const MatmulTask& task);
};

// The first that runs here is in use; the reference comes last and runs everywhere.
std::span<const MatmulVariant> matmul_variants();
const MatmulVariant& matmul_variant();

// The whole product on all threads of the pool. The activations' integers are made when the weights
// need them, unless `quantized` says that they are there.
void matmul(ThreadPool& pool, const Matrix& weight, Activations& activations, float* y,
            bool quantized = false);

// One file each.
void matmul_rows_scalar(const MatmulTask& task);
void matmul_rows_avx2(const MatmulTask& task);
void matmul_rows_avx512(const MatmulTask& task);

}  // namespace memside::engine
