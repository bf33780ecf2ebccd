#include "engine/digest_body.h"
#include "engine/simd_avx2.h"

namespace memside::engine {
namespace {

struct DigestSimd : SimdAvx2 {
    static Vector load_int8(const std::byte* from) {
        return _mm256_cvtepi32_ps(
            _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    }
};

}  // namespace

void score_f16_digests_avx2(const ScoreDigests& job) {
    DigestBody<DigestSimd, F16Corners<DigestSimd>>::score(job);
}

void score_int8_digests_avx2(const ScoreDigests& job) {
    DigestBody<DigestSimd, Int8Corners<DigestSimd>>::score(job);
}

}  // namespace memside::engine
