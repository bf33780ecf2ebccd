#include "pnm/functional_pages.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "pnm/functional_tile.h"

namespace memside::pnm {

void KvPages::append(std::span<const Half> key, std::span<const Half> value) {
    assert(key.size() == shape_.row() && value.size() == shape_.row());
    const std::size_t slot = tokens_ % shape_.page_tokens;
    if (slot == 0) memory_.emplace_back(2 * shape_.page_tokens * shape_.row());
    std::vector<Half>& page = memory_.back();
    std::copy(key.begin(), key.end(), page.data() + slot * shape_.row());
    std::copy(value.begin(), value.end(), page.data() + (shape_.page_tokens + slot) * shape_.row());
    ++tokens_;
    if (slot + 1 == shape_.page_tokens) digests_.push_back(build_digest(pages() - 1));
}

std::size_t KvPages::tokens_of(std::size_t page) const {
    assert(page < pages());
    return std::min(shape_.page_tokens, tokens_ - page * shape_.page_tokens);
}

std::span<const Half> KvPages::key(std::size_t page, std::size_t token, std::size_t kv_head) const {
    assert(token < tokens_of(page));
    return std::span(memory_[page])
        .subspan(token * shape_.row() + kv_head * shape_.head_dim, shape_.head_dim);
}

std::span<const Half> KvPages::value(std::size_t page, std::size_t token,
                                     std::size_t kv_head) const {
    assert(token < tokens_of(page));
    return std::span(memory_[page])
        .subspan((shape_.page_tokens + token) * shape_.row() + kv_head * shape_.head_dim,
                 shape_.head_dim);
}

PageDigest KvPages::digest(std::size_t page) const {
    return page < digests_.size() ? digests_[page] : build_digest(page);
}

PageDigest KvPages::build_digest(std::size_t page) const {
    PageDigest digest;
    const std::size_t filled = tokens_of(page);
    for (std::size_t channel = 0; channel < shape_.row(); ++channel) {
        float low = std::numeric_limits<float>::infinity();
        float high = -low;
        for (std::size_t start = 0; start < filled; start += tile_lanes) {
            Lanes lanes;
            lanes.fill(to_float(memory_[page][start * shape_.row() + channel]));
            for (std::size_t i = start; i < std::min(start + tile_lanes, filled); ++i) {
                lanes[i - start] = to_float(memory_[page][i * shape_.row() + channel]);
            }
            low = std::min(low, tree_min(lanes));
            high = std::max(high, tree_max(lanes));
        }
        digest.min.push_back(to_half(low));
        digest.max.push_back(to_half(high));
    }
    return digest;
}

std::vector<float> score_pages(const KvPages& pages, std::span<const Half> queries) {
    const KvShape& shape = pages.shape();
    assert(queries.size() == shape.query_heads * shape.head_dim);
    std::vector<float> scores;
    for (std::size_t page = 0; page < pages.pages(); ++page) {
        const PageDigest digest = pages.digest(page);
        float best = -std::numeric_limits<float>::infinity();
        for (std::size_t head = 0; head < shape.query_heads; ++head) {
            const std::size_t at = head / shape.group() * shape.head_dim;
            best =
                std::max(best, digest_score(queries.subspan(head * shape.head_dim, shape.head_dim),
                                            std::span(digest.min).subspan(at, shape.head_dim),
                                            std::span(digest.max).subspan(at, shape.head_dim)));
        }
        scores.push_back(best);
    }
    return scores;
}

}  // namespace memside::pnm
