// Decode attention over the pages that matter: digests are scored, the pages with the highest
// scores within a budget are attended where they lie. Scores, pins and top-k are those of kv/,
// which `simulate` calls too.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attention.h"
#include "engine/digest_store.h"
#include "kv/group_scores.h"
#include "kv/pages.h"
#include "kv/selection.h"

namespace memside::engine {

struct SelectionConfig {
    std::int64_t budget_tokens = 4096;
    kv::PinnedPages pinned;
    kv::GroupScore group_score = kv::GroupScore::mean;  // of the query heads of a KV head
};

class SelectedAttention {
  public:
    // The store and the pool must outlive this.
    SelectedAttention(const KvStore& store, ThreadPool& pool, int heads, SelectionConfig config);

    // One token. `digests` of the call's layer hold every page up to the token's, which is scored
    // like any other. Each KV head attends a page set of its own.
    void run(const AttentionCall& call, const DigestStore& digests);

    // The pages that the last run() attended for a KV head.
    const kv::PageList& selected(int kv_head) const {
        return selected_[static_cast<std::size_t>(kv_head)];
    }
    // Of the last run(): keys, values and digests.
    std::int64_t bytes_read() const { return bytes_read_; }
    double scoring_s() const { return scoring_s_; }  // since the start: scores and top-k

  private:
    void score(const DigestStore& digests, std::int64_t pages);
    void select(std::int64_t pages);
    void attend(const AttentionCall& call);

    const KvStore& store_;
    ThreadPool& pool_;
    int heads_;
    int group_;
    SelectionConfig config_;
    std::vector<float> queries_;   // scaled, f32 [heads][head_dim]
    std::vector<float> positive_;  // their positive values, zero elsewhere
    std::vector<float> negative_;
    std::vector<float> head_scores_;   // f32 [heads][pages, padded to blocks]
    std::vector<float> group_scores_;  // f32 [kv_heads][the same]
    std::vector<kv::PageList> selected_;
    std::vector<float> states_;
    std::int64_t bytes_read_ = 0;
    double scoring_s_ = 0.0;
};

}  // namespace memside::engine
