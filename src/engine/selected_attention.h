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
    void split_queries();
    void score(const DigestStore& digests, std::int64_t pages);
    void select(std::int64_t pages);
    void attend(const AttentionCall& call);

    const KvStore& store_;
    ThreadPool& pool_;
    int heads_;
    int group_;
    // Rows of queries that the digests of a KV head are scored with. A score is linear in the
    // positive and in the negative parts of a query, so the mean of a group's scores is the score
    // of the group's mean parts: one row. For the maximum each query head has its own.
    int rows_;
    SelectionConfig config_;
    std::vector<float> queries_;       // scaled, f32 [heads][head_dim]
    std::vector<float> positive_;      // their positive parts, f32 [kv_heads][rows][head_dim]
    std::vector<float> negative_;      // their negative parts, likewise
    std::vector<float> head_scores_;   // f32 [kv_heads][rows][pages, padded to blocks]
    std::vector<float> group_scores_;  // f32 [kv_heads][the same]
    std::vector<kv::PageList> selected_;
    std::vector<float> states_;
    std::int64_t bytes_read_ = 0;
    double scoring_s_ = 0.0;
};

}  // namespace memside::engine
