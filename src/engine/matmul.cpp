#include "engine/matmul.h"

#include <array>
#include <cassert>

#include "engine/cpu_features.h"
#include "engine/loop_parts.h"

namespace memside::engine {
namespace {

constexpr std::array variants{
#if defined(__x86_64__)
    MatmulVariant{"avx512-vnni", [] { return cpu_features().avx512_vnni; }, matmul_rows_avx512,
                  matmul_block_avx512},
    MatmulVariant{"avx2", [] { return cpu_features().avx2; }, matmul_rows_avx2, matmul_block_avx2},
#endif
    MatmulVariant{"scalar", [] { return true; }, matmul_rows_scalar, matmul_block_scalar},
};

}  // namespace

std::span<const MatmulVariant> matmul_variants() {
    return variants;
}

const MatmulVariant& matmul_variant() {
    static const MatmulVariant& chosen =
        *std::ranges::find_if(variants, [](const MatmulVariant& v) { return v.runs_here(); });
    return chosen;
}

void matmul(ThreadPool& pool, const Matrix& weight, Activations& activations, float* y,
            bool quantized) {
    assert(weight.columns == activations.columns());
    if (activations.rows() > 1) {
        // Parts of whole tiles of rows: what a row gives does not depend on its part.
        constexpr std::int64_t part_rows = 32;
        pool.run((weight.rows + part_rows - 1) / part_rows, [&](std::int64_t part) {
            const std::int64_t first = part * part_rows;
            const std::int64_t last = std::min(first + part_rows, weight.rows);
            thread_local std::vector<float> scratch;
            scratch.resize(static_cast<std::size_t>(block_rows * padded_columns(weight.columns)));
            matmul_variant().block(
                {weight, &activations, first, last, y, weight.rows, scratch.data()});
        });
        return;
    }
    if (is_quantized(weight.type) && !quantized) {
        activations.reserve_integers();
        activations.quantize_row(0);
    }
    const std::int64_t rows_per_part = matmul_rows_per_part(weight.bytes_per_row());
    const std::int64_t parts = (weight.rows + rows_per_part - 1) / rows_per_part;
    pool.run(parts, [&](std::int64_t part) {
        const std::int64_t first = part * rows_per_part;
        const std::int64_t last = std::min(first + rows_per_part, weight.rows);
        matmul_variant().rows({weight, &activations, first, last, y, weight.rows});
    });
}

}  // namespace memside::engine
