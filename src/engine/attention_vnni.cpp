#include "engine/attention_vnni.h"

namespace memside::engine {

void attend_page_vnni(const AttendPage& job) {
    if (job.page.type == kv::ValueType::int8 && job.head_dim <= VnniProducts::most_dims) {
        return AttentionBody<SimdAvx512, VnniProducts>::attend(job);
    }
    attend_page_avx512(job);
}

}  // namespace memside::engine
