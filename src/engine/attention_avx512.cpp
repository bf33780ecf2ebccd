#include "engine/attention_body.h"
#include "engine/simd_avx512.h"

namespace memside::engine {

void attend_page_avx512(const AttendPage& job) {
    AttentionBody<SimdAvx512>::attend(job);
}

}  // namespace memside::engine
