#include "pnm/functional_attention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "pnm/functional_sfu.h"
#include "pnm/functional_tile.h"

namespace memside::pnm {
namespace {

struct Slot {
    std::size_t page;
    std::size_t token;
};

constexpr float weight_scale = 0x1p15F;  // the largest weight is at most that, and FP16 holds it

// Rescaling from one maximum to a larger one; both whole, so that this is a shift.
float shift(float from, float to) {
    return std::isinf(from) ? 0.0F : std::exp2(from - to);
}

void attend_block(const KvPages& pages, std::size_t kv_head, std::span<const Half> query,
                  std::span<const Slot> block, float scale, PartialAttention& partial) {
    Lanes scores;
    scores.fill(-std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < block.size(); ++i) {
        scores[i] = dot(query, pages.key(block[i].page, block[i].token, kv_head)) * scale;
    }
    const float max = std::max(partial.max, std::ceil(tree_max(scores)));
    Lanes weights{};
    for (std::size_t i = 0; i < block.size(); ++i) {
        weights[i] = to_float(to_half(sfu_exp2(scores[i] - max) * weight_scale));
    }
    const float factor = shift(partial.max, max);
    partial.max = max;
    partial.sum = partial.sum * factor + tree_sum(weights);
    for (std::size_t channel = 0; channel < query.size(); ++channel) {
        Lanes products{};
        for (std::size_t i = 0; i < block.size(); ++i) {
            const auto value = pages.value(block[i].page, block[i].token, kv_head);
            products[i] = weights[i] * to_float(value[channel]);
        }
        partial.output[channel] = partial.output[channel] * factor + tree_sum(products);
    }
}

}  // namespace

std::vector<PartialAttention> attend(const KvPages& pages, std::span<const Half> queries,
                                     std::span<const std::int32_t> selected, float scale) {
    const KvShape& shape = pages.shape();
    assert(queries.size() == shape.query_heads * shape.head_dim);
    std::vector<Slot> slots;
    for (const std::int32_t page : selected) {
        const auto at = static_cast<std::size_t>(page);
        for (std::size_t token = 0; token < pages.tokens_of(at); ++token) {
            slots.push_back({at, token});
        }
    }
    const float scale_log2 = scale * std::numbers::log2e_v<float>;
    std::vector<PartialAttention> heads(shape.query_heads);
    for (std::size_t head = 0; head < shape.query_heads; ++head) {
        heads[head].output.assign(shape.head_dim, 0.0F);
        for (std::size_t start = 0; start < slots.size(); start += tile_lanes) {
            const std::size_t length = std::min(tile_lanes, slots.size() - start);
            attend_block(pages, head / shape.group(),
                         queries.subspan(head * shape.head_dim, shape.head_dim),
                         std::span(slots).subspan(start, length), scale_log2, heads[head]);
        }
        heads[head].sum /= weight_scale;
        for (float& value : heads[head].output) value /= weight_scale;
    }
    return heads;
}

PartialAttention merge(const PartialAttention& a, const PartialAttention& b) {
    if (a.sum == 0.0F) return b;
    if (b.sum == 0.0F) return a;
    assert(a.output.size() == b.output.size());
    PartialAttention merged;
    merged.max = std::max(a.max, b.max);
    const float factor_a = shift(a.max, merged.max);
    const float factor_b = shift(b.max, merged.max);
    merged.sum = a.sum * factor_a + b.sum * factor_b;
    for (std::size_t i = 0; i < a.output.size(); ++i) {
        merged.output.push_back(a.output[i] * factor_a + b.output[i] * factor_b);
    }
    return merged;
}

std::vector<Half> finish(const PartialAttention& partial) {
    assert(partial.sum > 0.0F);
    const float inverse = sfu_reciprocal(partial.sum);
    std::vector<Half> output;
    for (const float value : partial.output) output.push_back(to_half(value * inverse));
    return output;
}

}  // namespace memside::pnm
