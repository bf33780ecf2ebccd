#include "engine/matmul.h"

#include <array>
#include <cassert>

#include "engine/cpu_features.h"

namespace memside::engine {
namespace {

constexpr std::array variants{
#if defined(__x86_64__)
    MatmulVariant{"avx512-vnni", [] { return cpu_features().avx512_vnni; }, matmul_rows_avx512},
    MatmulVariant{"avx2", [] { return cpu_features().avx2; }, matmul_rows_avx2},
#endif
    MatmulVariant{"scalar", [] { return true; }, matmul_rows_scalar},
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
    if (is_quantized(weight.type) && !quantized) {
        activations.reserve_integers();
        // Quantising one row takes about a microsecond: not worth another thread.
        if (activations.rows() == 1) {
            activations.quantize_row(0);
        } else {
            pool.run(activations.rows(), [&](std::int64_t row) { activations.quantize_row(row); });
        }
    }
    // Parts of about 64 KiB of weights: short enough to even out, long enough to stream.
    constexpr std::int64_t part_bytes = 64 * 1024;
    const std::int64_t rows_per_part =
        std::clamp<std::int64_t>(part_bytes / weight.bytes_per_row(), 1, 1024);
    const std::int64_t parts = (weight.rows + rows_per_part - 1) / rows_per_part;
    pool.run(parts, [&](std::int64_t part) {
        const std::int64_t first = part * rows_per_part;
        const std::int64_t last = std::min(first + rows_per_part, weight.rows);
        matmul_variant().rows({weight, &activations, first, last, y, weight.rows});
    });
}

}  // namespace memside::engine
