// Attention of a block of tokens over the KV store, dense: every token sees all tokens up to
// itself, or the last ones within the layer's window.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attention_kernel.h"
#include "engine/kv_store.h"
#include "engine/thread_pool.h"

namespace memside::engine {

struct AttentionCall {
    int layer = 0;
    const float* queries = nullptr;  // f32 [tokens][heads][head_dim]
    std::int64_t tokens = 0;
    std::int64_t first_position = 0;  // of token 0; keys up to the last token are in the store
    std::int64_t window = 0;          // key j is seen from p if p - j < window; 0: all
    float scale = 1.0F;               // multiplies q.k
    float* out = nullptr;             // f32 [tokens][heads][head_dim]
};

class Attention {
  public:
    // The store and the pool must outlive this. `heads` is a multiple of the store's KV heads.
    Attention(const KvStore& store, ThreadPool& pool, int heads);

    // One token is split over threads by pages, several by KV head and token. The error is that of
    // a page that could not be read.
    Status run(const AttentionCall& call);

    // Bytes of keys and values that run() has read since the start, a page counted once per block
    // of queries that passes over it.
    std::int64_t bytes_read() const { return bytes_read_; }

  private:
    void decode(const AttentionCall& call);
    void prefill(const AttentionCall& call);
    void prefill_tile(const AttentionCall& call, std::int64_t first_token, std::int64_t tokens,
                      int kv_head) const;
    AttentionState state(float* memory, int rows) const;

    const KvStore& store_;
    ThreadPool& pool_;
    int heads_;
    int group_;
    std::vector<float> queries_;  // scaled, of one token
    std::vector<float> states_;   // one per part of a decode step
    std::int64_t bytes_read_ = 0;
};

}  // namespace memside::engine
