// Decode attention under a policy that selects pages: digests are scored, the pages that matter are
// attended where they lie or in a pool of fast memory. Scores, pins, top-k and residency are those
// of kv/, which `simulate` calls too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/attention.h"
#include "engine/kv_policy.h"
#include "engine/page_list_attention.h"
#include "engine/page_pool.h"
#include "engine/page_sets.h"

namespace memside::engine {

// Of the steps since the last reset. Pages are summed over steps, selecting layers and page sets,
// but the scanned ones over KV heads: sets that share a KV head share its scan.
struct PolicyCounts {
    std::int64_t sets = 0;      // page sets attended: their number in those sums
    std::int64_t kv_heads = 0;  // KV heads likewise
    std::int64_t pages_selected = 0;
    std::int64_t pages_scanned = 0;   // digests read, that of a superpage as one
    std::int64_t pages_recalled = 0;  // copied into the pool
    // Copied into a set's empty pool, as a prefill would have left it there (kv/selection_run.h);
    // none of the recalled ones.
    std::int64_t pages_filled = 0;
    std::int64_t kv_bytes = 0;      // read by attention, copies in the pool included
    std::int64_t pool_bytes = 0;    // of those, in the pool
    std::int64_t copied_bytes = 0;  // into the pool
    // Of the pages attended, those that had to be read from the store's file, into the pool or not.
    std::int64_t kv_bytes_from_file = 0;
    std::int64_t copied_bytes_from_file = 0;
    std::int64_t digest_bytes = 0;  // read
    double scoring_s = 0.0;         // scores and top-k
    double recall_s = 0.0;          // residency and copies
};

class PolicyAttention {
  public:
    // The store and the pool must outlive this; `policy` passes check_policy() and selects.
    // `selecting`: the layers that select. infeasible when digests or pool do not fit.
    static Result<std::unique_ptr<PolicyAttention>> make(const KvStore& store, ThreadPool& pool,
                                                         int heads, const KvPolicy& policy,
                                                         std::vector<bool> selecting);

    bool selects(int layer) const { return selecting_[static_cast<std::size_t>(layer)]; }

    // Tokens [first, first + tokens) of a selecting layer have been written to the store. Errors of
    // this and of run() are those of a page that could not be read.
    Status append(int layer, std::int64_t first, std::int64_t tokens);

    // The first `tokens` tokens of a selecting layer are in the store, and these are their digests
    // (DigestStore::restore). Layers may be restored by different threads.
    void restore(int layer, std::int64_t tokens, std::span<const std::byte> digests) {
        digests_.restore(layer, tokens, digests);
    }

    // One token of a selecting layer; its keys and values have been appended.
    Status run(const AttentionCall& call);

    // Begins to read the pages that a selecting layer attended last and that are not in memory:
    // most of them it will want again.
    void read_ahead(int layer) const;
    // Digests come from these memory nodes. environment when that fails.
    Status bind(const std::vector<int>& nodes) { return digests_.bind(nodes); }

    // Forgets what depends on tokens from `tokens` on.
    void truncate(std::int64_t tokens);

    // The pages that the last run() attended for a set.
    const kv::PageList& selected(std::int64_t set) const {
        return selected_[static_cast<std::size_t>(set)];
    }
    // The pages of a set that have a copy in the pool.
    kv::PageList resident(int layer, std::int64_t set) const {
        return pool_pages_ > 0 ? fast_.resident(layer, set) : kv::PageList();
    }
    const PageSets& sets() const { return sets_; }
    const PolicyCounts& counts() const { return counts_; }
    void reset_counts() { counts_ = {}; }
    std::int64_t pool_bytes() const { return fast_.bytes(); }
    const DigestStore& digests() const { return digests_; }

  private:
    // What a layer keeps between steps.
    struct LayerState {
        std::vector<kv::PageList> selected;  // of each set, by the last selection
        std::int64_t pages = 0;              // that it chose among; 0: no selection yet
        std::int64_t age = 0;                // steps that it has served
    };

    PolicyAttention(const KvStore& store, ThreadPool& pool, int heads, const KvPolicy& policy,
                    std::int64_t pool_pages, std::vector<bool> selecting, DigestStore digests,
                    PagePool fast);

    bool select(int layer, std::int64_t pages);
    Status verify_selected(int layer);
    bool usable(int layer, std::int64_t set, const kv::PageList& pages) const;
    Status change_residency(int layer, std::int64_t pages);
    kv::ResidencyChange residency_change(int layer, std::int64_t set, std::int64_t pages,
                                         std::int64_t& filled) const;
    Status attend(const AttentionCall& call);
    void pages_were_read(int layer);
    void list_pages(const AttentionCall& call, std::int64_t set, int head, PageListWork& work);

    const KvStore& store_;
    ThreadPool& pool_;
    PageSets sets_;
    KvPolicy policy_;
    std::vector<bool> selecting_;
    std::int64_t budget_pages_;
    std::int64_t pool_pages_;
    DigestStore digests_;
    PageSelector selector_;
    PagePool fast_;
    PageListAttention lists_;
    NearMemory near_;
    std::vector<LayerState> layers_;
    std::vector<kv::PageList> selected_;  // of the last run()
    std::vector<float> queries_;          // scaled, f32 [heads][head_dim]
    std::vector<PageListWork> works_;
    PolicyCounts counts_;
};

}  // namespace memside::engine
