// Near-memory workers as processes of their own, one per memory node: what a memory device with
// cores would run. They map the keys and values, take queries and page numbers from a mailbox in
// shared memory, attend the pages of their node and leave partial results there, which merge by
// log-sum-exp. `memside run` has threads instead (near_memory.h); both compute the same.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/attention_kernel.h"
#include "engine/kv_store.h"
#include "engine/near_memory.h"
#include "kv/pages.h"

namespace memside::engine {

class SharedWorkers {
  public:
    // Starts a process for each node of the placement, as many as the store's shape has. The store
    // lies in shared memory (KvStore::make) and must outlive this; `heads` is a multiple of its KV
    // heads. environment when no process can be made.
    static Result<std::unique_ptr<SharedWorkers>> start(const KvStore& store, int heads,
                                                        const MemoryPlacement& placement);
    ~SharedWorkers();
    SharedWorkers(const SharedWorkers&) = delete;
    SharedWorkers& operator=(const SharedWorkers&) = delete;

    // Attention of one token over pages of a layer. `pages`: of each KV head, ascending, at least
    // one; `tokens`: of the sequence, the new one included. queries: f32 [heads][head_dim],
    // multiplied by the attention scale and log2(e). out: f32 [heads][head_dim]. environment when a
    // worker is no more: its node's pages are then attended by nobody, now and later.
    Status run(int layer, const std::vector<kv::PageList>& pages, std::int64_t tokens,
               const float* queries, float* out);

    // The process of a node.
    pid_t process(int node) const { return processes_[static_cast<std::size_t>(node)]; }

  private:
    struct Mailbox;

    SharedWorkers(const KvStore& store, int heads) : store_(store), heads_(heads) {}
    Mailbox& box(int node) const;
    [[noreturn]] void serve(int node) const;
    void attend(Mailbox& box) const;
    AttentionState state(Mailbox& box, int kv_head) const;
    Status wait_for(int node, std::uint32_t number);

    std::int64_t query_values() const { return std::int64_t{heads_} * store_.shape().head_dim; }
    std::int64_t group() const { return heads_ / store_.shape().kv_heads; }
    std::int64_t most_pages() const;
    std::int64_t box_bytes() const;

    const KvStore& store_;
    int heads_;
    HugeMemory boxes_;
    std::vector<pid_t> processes_;  // 0: is no more
    std::uint32_t number_ = 0;      // of the last request
};

}  // namespace memside::engine
