// Measures decode attention of one layer over random keys and values, beside the rate at which the
// machine reads memory in the same seconds.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kv/layout.h"

namespace memside::engine {

struct AttentionBenchOptions {
    std::int64_t context_tokens = 0;
    int heads = 32;
    int kv_heads = 8;
    int head_dim = 64;
    std::int64_t page_tokens = 64;
    kv::ValueType kv_type = kv::ValueType::f16;  // f16, bf16, int8
    bool select = false;  // the pages with the highest digest scores, else all
    std::int64_t budget_tokens = 4096;
    kv::DigestKind digest_kind = kv::DigestKind::minmax;
    kv::DigestType digest_type = kv::DigestType::f16;
    // Keys in passages of 10,000 tokens, each around a centre of its own with deviation 1/32 per
    // channel, centres uniform in +-1: digests of such keys can be left unread. Else all keys are
    // alike, and none can.
    bool clustered = false;
    unsigned threads = 1;
    double seconds = 2.0;  // of measuring, at least
    // Keys and values walked over, at least; 0: four times the last-level cache.
    std::int64_t distinct_bytes = 0;
    std::uint64_t seed = 1;
};

struct AttentionBenchResult {
    double ns_per_token_per_layer = 0.0;  // median time of a decode step's attention in one layer
    std::int64_t bytes_read = 0;          // of one such step: keys, values, digests
    // Of a selection: time to score and select, page digests read as a share of all pages' (above 1
    // where superpages came on top), and time to take the digest of a new token in.
    double select_ns_per_layer = 0.0;
    double digests_read = 0.0;
    double digest_ns_per_layer = 0.0;
    double gb_per_s = 0.0;
    double stream_gb_per_s = 0.0;  // median, with as many threads
    double fraction_of_stream = 0.0;
    std::int64_t layers = 0;  // distinct layers walked over, at least 4 x the last-level cache
    std::int64_t repetitions = 0;
    std::string kernel;
};

// infeasible when the memory that it takes is not there.
Result<AttentionBenchResult> bench_attention(const AttentionBenchOptions& options);

}  // namespace memside::engine
