// Attention of one token over lists of pages, wherever they lie: pages of the store and copies of
// them in a pool. Partial results merge exactly (log-sum-exp), so that the order and the place of
// pages do not matter.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attention_kernel.h"
#include "engine/kv_store.h"
#include "engine/near_memory.h"
#include "engine/page_pass.h"
#include "engine/thread_pool.h"

namespace memside::engine {

// Query heads of one KV head, side by side, and the pages that they attend.
struct PageListWork {
    int first_head = 0;
    int rows = 0;               // query heads
    std::vector<KvPage> pages;  // in the order of visiting, at least one
    // Where they lie; a page of the file has no entry in `pages` worth reading. Empty: in memory.
    std::vector<PageRef> refs;
    std::int64_t last_tokens = 0;  // of the last page that are attended; of the others all
    std::vector<int> nodes;        // of each page, where there are several (KvStore::node_of)
};

class PageListAttention {
  public:
    explicit PageListAttention(ThreadPool& pool) : pool_(pool) {}

    // queries: f32 [heads][head_dim], multiplied by the attention scale and log2(e). out: f32
    // [heads][head_dim]. The error is that of a page that could not be read.
    Status run(const KvStore& store, const std::vector<PageListWork>& works, const float* queries,
               float* out);

    // The same where pages lie in several memory nodes: each page is attended by the threads of its
    // node, partial results merge. The works have the nodes of their pages.
    void run_near(const KvShape& shape, const std::vector<PageListWork>& works, NearMemory& near,
                  const float* queries, float* out);

  private:
    void attend(const KvShape& shape, const PageListWork& work, std::int64_t part,
                std::int64_t parts, const float* queries, const AttentionState& state) const;
    void spread(const KvShape& shape, const std::vector<PageListWork>& works);

    ThreadPool& pool_;
    std::vector<float> states_;
    std::vector<std::vector<PageListWork>> near_;  // [nodes][works]: the pages of that node
};

}  // namespace memside::engine
