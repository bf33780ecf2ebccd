#include "engine/attention_products.h"
#include "engine/digest_body.h"
#include "engine/simd_avx512.h"

namespace memside::engine {

void attend_page_avx512(const AttendPage& job) {
    attend_in_floats<SimdAvx512>(job);
}

void score_digests_avx512(const ScoreDigests& job) {
    DigestBody<SimdAvx512>::score(job);
}

}  // namespace memside::engine
