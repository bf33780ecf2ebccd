// Attention of a block of tokens over the KV store, dense: every token sees all tokens up to
// itself, or the last ones within the layer's window.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/attention_kernel.h"
#include "engine/kv_store.h"
#include "engine/page_list_attention.h"
#include "engine/page_pass.h"
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
    // Of those, of pages that lay in the store's file.
    std::int64_t bytes_from_file() const { return bytes_from_file_; }

    // Begins to read what a token, or a block of them, at `position` will attend first of a layer
    // that keeps all tokens.
    void read_ahead(int layer, std::int64_t position) const;

  private:
    std::vector<PageRef> refs(int layer, std::int64_t first_page, std::int64_t last_page) const;
    Status decode(const AttentionCall& call);
    void decode_near(const AttentionCall& call);
    Status prefill(const AttentionCall& call);
    // Query heads of a block's tokens that pass over a KV head's pages together.
    struct Tile {
        std::int64_t first_token = 0;
        std::int64_t tokens = 0;
        int kv_head = 0;
        int rows = 0;
        AttentionState all;
        float* queries = nullptr;  // scaled, f32 [rows][head_dim]
    };
    std::int64_t tile_values() const;
    AttentionState token_state(const Tile& tile, std::int64_t t) const;
    Tile tile(const AttentionCall& call, std::int64_t index);
    void begin_tile(const AttentionCall& call, const Tile& tile) const;
    void attend_page(const AttentionCall& call, const Tile& tile, std::int64_t page,
                     const KvPage& at) const;
    void end_tile(const AttentionCall& call, const Tile& tile) const;
    AttentionState state(float* memory, int rows) const;

    const KvStore& store_;
    ThreadPool& pool_;
    int heads_;
    int group_;
    std::vector<float> queries_;  // scaled, of one token
    std::vector<float> states_;   // one per part of a decode step, or tile of a block
    NearMemory near_;             // this and the next two where there are several memory nodes
    PageListAttention lists_;
    std::vector<PageListWork> works_;  // of each KV head
    std::int64_t bytes_read_ = 0;
    std::int64_t bytes_from_file_ = 0;
};

}  // namespace memside::engine
