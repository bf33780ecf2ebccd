#include "engine/digest_body.h"
#include "engine/simd_avx512.h"

namespace memside::engine {
namespace {

struct DigestSimd : SimdAvx512 {
    static Vector load_int8(const std::byte* from) {
        return _mm512_cvtepi32_ps(
            _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    }
};

}  // namespace

void score_f16_digests_avx512(const ScoreDigests& job) {
    DigestBody<DigestSimd, F16Corners<DigestSimd>>::score(job);
}

void score_int8_digests_avx512(const ScoreDigests& job) {
    DigestBody<DigestSimd, Int8Corners<DigestSimd>>::score(job);
}

}  // namespace memside::engine
