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

void score_digests_scalar(const ScoreDigests& job) {
    const std::uint16_t* low = job.corners;
    const std::uint16_t* high = low + job.head_dim * digest_block_pages;
    for (int row = 0; row < job.rows; ++row) {
        for (std::int64_t page = 0; page < digest_block_pages; ++page) {
            float score = 0.0F;
            for (int d = 0; d < job.head_dim; ++d) {
                const std::int64_t at = d * digest_block_pages + page;
                score += job.positive[row * job.head_dim + d] * float_from_half(high[at]) +
                         job.negative[row * job.head_dim + d] * float_from_half(low[at]);
            }
            job.scores[row * job.score_stride + page] = score;
        }
    }
}

}  // namespace memside::engine
