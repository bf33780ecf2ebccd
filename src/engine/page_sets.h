// Page sets of a layer: which KV heads and query heads share one selection of pages.
#pragma once

#include <cstdint>

#include "kv/group_scores.h"

namespace memside::engine {

// One set for the layer, one per KV head, or one per query head (kv::SelectPer). Query heads that
// share a KV head lie side by side.
class PageSets {
  public:
    PageSets() = default;
    PageSets(kv::SelectPer per, int heads, int kv_heads)
        : per_(per), heads_(heads), kv_heads_(kv_heads) {}

    std::int64_t count() const { return kv::group_count(per_, heads_, kv_heads_); }
    // KV heads whose pages a set holds.
    int kv_heads() const { return per_ == kv::SelectPer::layer ? kv_heads_ : 1; }
    int first_kv_head(std::int64_t set) const {
        return static_cast<int>(set * kv_heads_ / count());
    }
    // Query heads that attend a set's pages of one of its KV heads.
    int rows() const { return per_ == kv::SelectPer::query_head ? 1 : heads_ / kv_heads_; }
    int first_head(std::int64_t set, int head) const {
        return static_cast<int>(set * kv_heads() + head) * rows();
    }

  private:
    kv::SelectPer per_ = kv::SelectPer::kv_head;
    int heads_ = 0;
    int kv_heads_ = 0;
};

}  // namespace memside::engine
