// Attention of some query heads over the tokens of one page, added to what earlier pages gave.
//
// Softmax is taken as the pages come: a state holds the largest score so far, the sum of weights
// relative to it and the weighted sum of values, all f32, and is scaled down when a larger score
// appears. States of disjoint pages merge exactly (log-sum-exp), so pages may be attended anywhere.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/kv_store.h"

namespace memside::engine {

// Of `rows` query heads. Begin with largest = -infinity, sum = 0, values = 0.
struct AttentionState {
    float* largest = nullptr;  // f32 [rows], in units of log2
    float* sum = nullptr;      // f32 [rows]
    float* values = nullptr;   // f32 [rows][value_stride]
};

struct AttendPage {
    KvPage page;
    // The page that will be attended next, fetched into the cache meanwhile; `page` itself if none.
    KvPage next;
    int head_dim = 0;
    std::int64_t page_tokens = 0;
    std::int64_t value_stride = 0;
    // f32 [rows][head_dim], multiplied by the attention scale and by log2(e): weights are 2^score.
    const float* queries = nullptr;
    int rows = 0;
    // Tokens [first, last) of the page are attended; at least one.
    std::int64_t first = 0;
    std::int64_t last = 0;
    AttentionState state;
};

// A job for a page of that shape: all of its tokens, and no next page. Queries and the state are
// the caller's, as are fewer tokens and a next page.
AttendPage page_job(const KvShape& shape, const KvPage& page);
// The same for a page of the store.
AttendPage page_job(const KvStore& store, int layer, std::int64_t page, int kv_head);

struct AttentionVariant {
    std::string_view name;
    bool (*runs_here)();
    void (*attend)(const AttendPage& job);
};

// The first that runs here is in use; the reference comes last and runs everywhere.
std::span<const AttentionVariant> attention_variants();
const AttentionVariant& attention_variant();

// A state without tokens.
void clear(const AttentionState& state, int rows, std::int64_t value_stride);

// Adds what `from` has attended to `into`.
void merge(const AttentionState& from, int rows, std::int64_t value_stride,
           const AttentionState& into);

// The attention that a state amounts to, f32 [rows][head_dim]. It must have attended something.
void write_attention(const AttentionState& state, int rows, std::int64_t value_stride, int head_dim,
                     float* out);

// One file each.
void attend_page_scalar(const AttendPage& job);
void attend_page_avx2(const AttendPage& job);
void attend_page_avx512(const AttendPage& job);
void attend_page_vnni(const AttendPage& job);

}  // namespace memside::engine
