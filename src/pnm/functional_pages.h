// KV pages of one request and layer as they lie in the device, with their digests.
//
// A page is one piece of memory: K [page_tokens x kv_heads x head_dim], then V likewise. A digest
// is the minimum and the maximum of each channel over the page's tokens, from the comparator trees;
// it is built when the page fills, and on the fly for the page that is still open.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pnm/functional_half.h"

namespace memside::pnm {

struct KvShape {
    std::size_t query_heads = 0;  // a multiple of kv_heads
    std::size_t kv_heads = 0;
    std::size_t head_dim = 0;
    std::size_t page_tokens = 0;

    std::size_t group() const { return query_heads / kv_heads; }
    std::size_t row() const { return kv_heads * head_dim; }  // values of a token's K
};

// All KV heads side by side: [kv_heads x head_dim] each.
struct PageDigest {
    std::vector<Half> min;
    std::vector<Half> max;
};

class KvPages {
  public:
    explicit KvPages(const KvShape& shape) : shape_(shape) {}

    // One token's K and V, [kv_heads x head_dim] each, finite.
    void append(std::span<const Half> key, std::span<const Half> value);

    const KvShape& shape() const { return shape_; }
    std::size_t pages() const { return memory_.size(); }
    std::size_t tokens() const { return tokens_; }
    std::size_t tokens_of(std::size_t page) const;  // the last page may be partly filled

    std::span<const Half> key(std::size_t page, std::size_t token, std::size_t kv_head) const;
    std::span<const Half> value(std::size_t page, std::size_t token, std::size_t kv_head) const;
    PageDigest digest(std::size_t page) const;

  private:
    PageDigest build_digest(std::size_t page) const;

    KvShape shape_;
    std::size_t tokens_ = 0;
    std::vector<std::vector<Half>> memory_;  // by page
    std::vector<PageDigest> digests_;        // of full pages
};

// score = the best of the query heads' digest scores: pages are selected for all heads together.
// `queries` [query_heads x head_dim].
std::vector<float> score_pages(const KvPages& pages, std::span<const Half> queries);

}  // namespace memside::pnm
