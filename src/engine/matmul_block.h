// The product for a block of tokens, a prompt's: weights go back to f32 four rows at a time, once
// for the whole block, and tiles of 4 rows x 6 tokens are summed in registers. Activations stay
// f32. Against integers times a scale per 16 values, one token after another, that is fewer
// instructions a product, and activations are loaded once for four rows.
//
// A sum is taken in the same order whatever the tile, the part of the matrix and the block are.
#pragma once

#include <cstdint>

#include "engine/matmul.h"

namespace memside::engine {

inline constexpr std::int64_t tile_tokens = 6;

// Simd provides Vector, width, load(), fma(a, b, c), sum(v) and store_sums(v[4], to), the sums of
// four vectors. weights: f32 [rows][stride].
template <typename Simd, std::int64_t rows, std::int64_t tokens>
void multiply_tile(const MatmulTask& task, const float* weights, std::int64_t stride,
                   std::int64_t row, std::int64_t token) {
    typename Simd::Vector sums[static_cast<std::size_t>(rows)][static_cast<std::size_t>(tokens)] =
        {};
    const float* x = task.activations->row(token);
    const std::int64_t columns = task.weight.columns;
    const std::int64_t whole = columns / Simd::width * Simd::width;
    for (std::int64_t i = 0; i < whole; i += Simd::width) {
        typename Simd::Vector w[static_cast<std::size_t>(rows)];
        for (std::int64_t r = 0; r < rows; ++r) w[r] = Simd::load(weights + r * stride + i);
        for (std::int64_t t = 0; t < tokens; ++t) {
            const typename Simd::Vector value = Simd::load(x + t * columns + i);
            for (std::int64_t r = 0; r < rows; ++r) sums[r][t] = Simd::fma(w[r], value, sums[r][t]);
        }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
        float* y = task.y + (token + t) * task.y_stride + row;
        if constexpr (rows == block_rows) {
            const typename Simd::Vector four[] = {sums[0][t], sums[1][t], sums[2][t], sums[3][t]};
            Simd::store_sums(four, y);
        } else {
            for (std::int64_t r = 0; r < rows; ++r) y[r] = Simd::sum(sums[r][t]);
        }
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t i = whole; i < columns; ++i) {
                y[r] += weights[r * stride + i] * x[t * columns + i];
            }
        }
    }
}

template <typename Simd, std::int64_t rows>
void multiply_rows(const MatmulTask& task, const float* weights, std::int64_t stride,
                   std::int64_t row) {
    const std::int64_t tokens = task.activations->rows();
    std::int64_t t = 0;
    for (; t + tile_tokens <= tokens; t += tile_tokens) {
        multiply_tile<Simd, rows, tile_tokens>(task, weights, stride, row, t);
    }
    for (; t + 2 <= tokens; t += 2) multiply_tile<Simd, rows, 2>(task, weights, stride, row, t);
    if (t < tokens) multiply_tile<Simd, rows, 1>(task, weights, stride, row, t);
}

// to_floats(row, to): a row of weights as f32, in space for padded_columns().
template <typename Simd, typename ToFloats>
void multiply_block(const MatmulTask& task, const ToFloats& to_floats) {
    const std::int64_t stride = padded_columns(task.weight.columns);
    for (std::int64_t r = task.first; r < task.last; r += block_rows) {
        const std::int64_t rows = task.last - r < block_rows ? task.last - r : block_rows;
        for (std::int64_t i = 0; i < rows; ++i) {
            to_floats(task.weight.row(r + i), task.scratch + i * stride);
        }
        if (rows == block_rows) {
            multiply_rows<Simd, block_rows>(task, task.scratch, stride, r);
            continue;
        }
        for (std::int64_t i = 0; i < rows; ++i) {
            multiply_rows<Simd, 1>(task, task.scratch + i * stride, stride, r + i);
        }
    }
}

}  // namespace memside::engine
