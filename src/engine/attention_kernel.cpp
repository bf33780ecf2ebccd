#include "engine/attention_kernel.h"

#include <array>
#include <cmath>
#include <limits>

#include "engine/cpu_features.h"

namespace memside::engine {
namespace {

constexpr std::array variants{
#if defined(__x86_64__)
    AttentionVariant{"avx512-vnni", [] { return cpu_features().avx512_vnni; }, attend_page_vnni},
    AttentionVariant{"avx512", [] { return cpu_features().avx512; }, attend_page_avx512},
    AttentionVariant{"avx2", [] { return cpu_features().avx2; }, attend_page_avx2},
#endif
    AttentionVariant{"scalar", [] { return true; }, attend_page_scalar},
};

}  // namespace

std::span<const AttentionVariant> attention_variants() {
    return variants;
}

const AttentionVariant& attention_variant() {
    static const AttentionVariant& chosen =
        *std::ranges::find_if(variants, [](const AttentionVariant& v) { return v.runs_here(); });
    return chosen;
}

AttendPage page_job(const KvStore& store, int layer, std::int64_t page, int kv_head) {
    return page_job(store.shape(), store.page(layer, page, kv_head));
}

AttendPage page_job(const KvShape& shape, const KvPage& page) {
    AttendPage job;
    job.page = page;
    job.next = page;
    job.head_dim = shape.head_dim;
    job.page_tokens = shape.page_tokens;
    job.value_stride = shape.value_stride();
    job.last = shape.page_tokens;
    return job;
}

void clear(const AttentionState& state, int rows, std::int64_t value_stride) {
    std::fill_n(state.largest, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(state.sum, rows, 0.0F);
    std::fill_n(state.values, rows * value_stride, 0.0F);
}

void write_attention(const AttentionState& state, int rows, std::int64_t value_stride, int head_dim,
                     float* out) {
    for (int r = 0; r < rows; ++r) {
        const float inverse = 1.0F / state.sum[r];
        for (int d = 0; d < head_dim; ++d) {
            out[r * head_dim + d] = state.values[r * value_stride + d] * inverse;
        }
    }
}

void merge(const AttentionState& from, int rows, std::int64_t value_stride,
           const AttentionState& into) {
    for (int r = 0; r < rows; ++r) {
        if (from.sum[r] == 0.0F) continue;
        const float largest = std::max(from.largest[r], into.largest[r]);
        const float own = std::exp2(into.largest[r] - largest);
        const float other = std::exp2(from.largest[r] - largest);
        into.largest[r] = largest;
        into.sum[r] = into.sum[r] * own + from.sum[r] * other;
        const float* theirs = from.values + r * value_stride;
        float* ours = into.values + r * value_stride;
        for (std::int64_t d = 0; d < value_stride; ++d) ours[d] = ours[d] * own + theirs[d] * other;
    }
}

}  // namespace memside::engine
