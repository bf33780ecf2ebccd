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
            score += query[d] * stored_key(job.page, job.page_tokens, t, d);
        }
        float& largest = job.state.largest[row];
        const float raised = std::max(largest, score);
        const float shrink = std::exp2(largest - raised);
        const float weight = std::exp2(score - raised);
        largest = raised;
        job.state.sum[row] = job.state.sum[row] * shrink + weight;
        for (int d = 0; d < job.head_dim; ++d) {
            values[d] =
                values[d] * shrink + weight * stored_value(job.page, job.value_stride, t, d);
        }
    }
}

}  // namespace

void attend_page_scalar(const AttendPage& job) {
    for (int row = 0; row < job.rows; ++row) attend_row(job, row);
}

}  // namespace memside::engine
