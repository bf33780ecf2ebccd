// Decode attention over the pages that matter: those that a PageSelector picks are attended where
// they lie.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attention.h"
#include "engine/page_selector.h"

namespace memside::engine {

class SelectedAttention {
  public:
    // The store and the pool must outlive this.
    SelectedAttention(const KvStore& store, ThreadPool& pool, int heads, SelectionConfig config);

    // One token. `digests` of the call's layer hold every page up to the token's, which is scored
    // like any other.
    void run(const AttentionCall& call, const DigestStore& digests);

    // What the last run() attended.
    const PageSelector& selector() const { return selector_; }
    // Of the last run(): keys, values and digests.
    std::int64_t bytes_read() const { return bytes_read_; }
    double scoring_s() const { return scoring_s_; }  // since the start: scores and top-k

  private:
    void attend(const AttentionCall& call);

    const KvStore& store_;
    ThreadPool& pool_;
    int heads_;
    PageSelector selector_;
    std::vector<float> queries_;  // scaled, f32 [heads][head_dim]
    std::vector<float> states_;
    std::int64_t bytes_read_ = 0;
    double scoring_s_ = 0.0;
};

}  // namespace memside::engine
