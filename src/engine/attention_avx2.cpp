#include "engine/attention_body.h"
#include "engine/simd_avx2.h"

namespace memside::engine {

void attend_page_avx2(const AttendPage& job) {
    AttentionBody<SimdAvx2>::attend(job);
}

}  // namespace memside::engine
