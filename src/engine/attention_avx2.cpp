#include "engine/attention_body.h"
#include "engine/digest_body.h"
#include "engine/simd_avx2.h"

namespace memside::engine {

void attend_page_avx2(const AttendPage& job) {
    AttentionBody<SimdAvx2>::attend(job);
}

void score_digests_avx2(const ScoreDigests& job) {
    DigestBody<SimdAvx2>::score(job);
}

}  // namespace memside::engine
