// Blocks of tokens with AVX2. Compiled with those instructions; called only where they exist.
#include <immintrin.h>

#include "engine/dequantize.h"
#include "engine/matmul_block.h"

namespace memside::engine {
namespace {

struct Simd {
    using Vector = __m256;
    static constexpr std::int64_t width = 8;
    static Vector load(const float* from) { return _mm256_loadu_ps(from); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
    static float sum(Vector v) {
        const Vector pairs = _mm256_hadd_ps(v, v);
        const Vector fours = _mm256_hadd_ps(pairs, pairs);
        return _mm_cvtss_f32(
            _mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
    }
    static void store_sums(const Vector (&v)[4], float* to) {
        const Vector all = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
        _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
    }
};

}  // namespace

void matmul_block_avx2(const MatmulTask& task) {
    multiply_block<Simd>(task, [&](const std::uint8_t* row, float* to) {
        dequantize(task.weight.type, row, task.weight.columns, to);
    });
}

}  // namespace memside::engine
