// The reference: plain loops, any processor.
#include <cmath>

#include "engine/attention_kernel.h"
#include "engine/half.h"

namespace memside::engine {
namespace {

void attend_row(const AttendPage& job, int row) {
    const float* query = job.queries + row * job.head_dim;
    float* values = job.state.values + row * job.value_stride;
    for (std::int64_t t = job.first; t < job.last; ++t) {
        float score = 0.0F;
        for (int d = 0; d < job.head_dim; ++d) {
            score += query[d] * float_from_half(job.page.keys[d * job.page_tokens + t]);
        }
        float& largest = job.state.largest[row];
        const float raised = std::max(largest, score);
        const float shrink = std::exp2(largest - raised);
        const float weight = std::exp2(score - raised);
        largest = raised;
        job.state.sum[row] = job.state.sum[row] * shrink + weight;
        const std::uint16_t* v = job.page.values + t * job.value_stride;
        for (int d = 0; d < job.head_dim; ++d) {
            values[d] = values[d] * shrink + weight * float_from_half(v[d]);
        }
    }
}

}  // namespace

void attend_page_scalar(const AttendPage& job) {
    for (int row = 0; row < job.rows; ++row) attend_row(job, row);
}

}  // namespace memside::engine
