// The reference: plain loops, any processor.
#include "engine/digest_kernel.h"
#include "engine/half.h"

namespace memside::engine {
namespace {

// `corner(i)` is value i of the block's corners, `scale(page)` what a page's score is multiplied
// by.
template <typename Corner, typename Scale>
void score(const ScoreDigests& job, Corner corner, Scale scale) {
    for (int row = 0; row < job.rows; ++row) {
        const float* positive = job.positive + row * job.head_dim;
        const float* negative = job.negative + row * job.head_dim;
        for (std::int64_t page = 0; page < digest_block_pages; ++page) {
            float score = 0.0F;
            for (std::int64_t d = 0; d < job.head_dim; ++d) {
                const std::int64_t low = 2 * d * digest_block_pages + page;
                score += positive[d] * corner(low + digest_block_pages);
                score += negative[d] * corner(low);
            }
            job.scores[row * job.score_stride + page] = score * scale(page);
        }
    }
}

}  // namespace

void score_f16_digests_scalar(const ScoreDigests& job) {
    const auto* corners = reinterpret_cast<const std::uint16_t*>(job.block);
    score(
        job, [&](std::int64_t i) { return float_from_half(corners[i]); },
        [](std::int64_t) { return 1.0F; });
}

void score_int8_digests_scalar(const ScoreDigests& job) {
    const auto* scales = reinterpret_cast<const float*>(job.block);
    const auto* corners = reinterpret_cast<const std::int8_t*>(job.block + 4 * digest_block_pages);
    score(
        job, [&](std::int64_t i) { return static_cast<float>(corners[i]); },
        [&](std::int64_t page) { return scales[page]; });
}

}  // namespace memside::engine
