#include "engine/digest_kernel.h"

#include <array>

#include "engine/cpu_features.h"

namespace memside::engine {
namespace {

constexpr std::array kernels{
#if defined(__x86_64__)
    DigestKernel{"avx512", [] { return cpu_features().avx512; }, score_f16_digests_avx512,
                 score_int8_digests_avx512},
    DigestKernel{"avx2", [] { return cpu_features().avx2; }, score_f16_digests_avx2,
                 score_int8_digests_avx2},
#endif
    DigestKernel{"scalar", [] { return true; }, score_f16_digests_scalar,
                 score_int8_digests_scalar},
};

}  // namespace

std::span<const DigestKernel> digest_kernels() {
    return kernels;
}

const DigestKernel& digest_kernel() {
    static const DigestKernel& chosen =
        *std::ranges::find_if(kernels, [](const DigestKernel& k) { return k.runs_here(); });
    return chosen;
}

}  // namespace memside::engine
