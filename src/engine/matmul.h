// Weights x activations: y[t][r] = sum_i W[r][i] x[t][i], for a block of tokens t. One token is a
// decode step, whose speed is that of reading the weights; more are a prompt's, whose speed is that
// of products: there each weight is turned into f32 once for all of them (matmul_block.h).
//
// Of a decode step, quantised weights of every type are taken as integer u (0 to 255) times a scale
// plus an offset, both per 16 values: W = scale u + offset. Then W.x = sum of scale_w scale_x (u.q)
// + offset (sum of x), where u.q is an integer dot product and the sum of x is known from the
// quantisation of x.
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
    float* scratch = nullptr;  // block() only: f32 [block_rows][padded_columns()]
};

// Rows of weights that are f32 at a time, and the space that one takes.
inline constexpr std::int64_t block_rows = 4;
constexpr std::int64_t padded_columns(std::int64_t columns) {
    return (columns + chunk_values - 1) / chunk_values * chunk_values;
}

struct MatmulVariant {
    std::string_view name;
    bool (*runs_here)();
    // Quantised weights with the integers of the activations, others with their f32.
    void (*rows)(const MatmulTask& task);
    // All weights as f32, with the f32 of the activations: for more than one token.
    void (*block)(const MatmulTask& task);
};

// The first that runs here is in use; the reference comes last and runs everywhere.
std::span<const MatmulVariant> matmul_variants();
const MatmulVariant& matmul_variant();

// The whole product on all threads of the pool, with rows() for one token and block() for more. The
// activations' integers are made when rows() needs them, unless `quantized` says that they are
// there.
void matmul(ThreadPool& pool, const Matrix& weight, Activations& activations, float* y,
            bool quantized = false);

// One file each.
void matmul_rows_scalar(const MatmulTask& task);
void matmul_rows_avx2(const MatmulTask& task);
void matmul_rows_avx512(const MatmulTask& task);
void matmul_block_scalar(const MatmulTask& task);
void matmul_block_avx2(const MatmulTask& task);
void matmul_block_avx512(const MatmulTask& task);

}  // namespace memside::engine
