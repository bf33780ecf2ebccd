// Decoding with a real model: the forward pass of llama, qwen2, qwen3 and gemma3, whose differences
// DecoderConfig describes. Tokens are fed in blocks (prefill) or one at a time (a decode step).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/activations.h"
#include "engine/attention.h"
#include "engine/decoder_weights.h"
#include "engine/kv_store.h"
#include "engine/rope.h"
#include "engine/thread_pool.h"

namespace memside::engine {

using TokenId = std::int32_t;

struct DecoderOptions {
    std::int64_t capacity_tokens = 0;  // the longest sequence
    std::int64_t page_tokens = 64;
    unsigned threads = 0;  // 0: all cores
    // 8-bit terms that activations are rounded to for quantised weights: 1, or 2, which brings
    // logits a hundred times closer to those of exact arithmetic and takes a prompt twice as long.
    std::int64_t activation_terms = 2;
};

// Where the time of the steps since reset_times() went, in seconds.
struct StepTimes {
    double attention_s = 0.0;
    double total_s = 0.0;
};

class Decoder {
  public:
    // `model` must outlive the decoder. infeasible when the KV store does not fit this machine.
    static Result<std::unique_ptr<Decoder>> make(const ModelFile& model,
                                                 const DecoderOptions& options);

    // Appends tokens to the sequence and returns the logits after the last one, f32 [vocab], valid
    // until the next call. At least one token; ids below the vocabulary; within the capacity.
    std::span<const float> feed(std::span<const TokenId> tokens);

    // Tokens in the sequence.
    std::int64_t length() const { return length_; }
    // Forgets the sequence but for its first `tokens` tokens.
    void truncate(std::int64_t tokens) { length_ = std::min(length_, tokens); }

    const KvStore& store() const { return store_; }
    std::int64_t kv_bytes_read() const { return attention_.bytes_read(); }
    const StepTimes& times() const { return times_; }
    void reset_times() { times_ = {}; }
    unsigned threads() const { return pool_.threads(); }

  private:
    Decoder(const ModelFile& model, const DecoderOptions& options, KvStore store);

    void feed_block(std::span<const TokenId> tokens);
    void embed(std::span<const TokenId> tokens);
    void prepare_angles(std::int64_t tokens);
    void attend(int layer, std::int64_t tokens);
    void rotate_and_store(int layer, std::int64_t token);
    void feed_forward(const LayerWeights& layer, std::int64_t tokens);
    void normalise(const float* from, const std::vector<float>& weight, std::int64_t tokens);
    void add_branch(const std::vector<float>& post_norm, std::int64_t tokens);
    void multiply(const Linear& linear, float* y, bool quantized = false);
    void compute_logits(std::int64_t token);

    const DecoderConfig& config_;
    const DecoderWeights& weights_;
    ThreadPool pool_;
    KvStore store_;
    Attention attention_;
    Rope rope_;
    Rope sliding_rope_;
    std::int64_t length_ = 0;
    StepTimes times_;

    // Of a block of tokens, f32, token-major.
    std::vector<float> residual_;  // [hidden]
    std::vector<float> normed_;    // [hidden]
    std::vector<float> branch_;    // [hidden]
    std::vector<float> queries_;   // [heads x head_dim]
    std::vector<float> keys_;      // [kv_heads x head_dim]
    std::vector<float> values_;    // [kv_heads x head_dim]
    std::vector<float> attended_;  // [heads x head_dim]
    std::vector<float> gate_;      // [ffn]
    std::vector<float> up_;        // [ffn]
    std::vector<float> angles_;    // [cosines, sines, both for sliding layers][rope pairs]
    std::vector<float> logits_;    // [vocab], of one token
    Activations activations_;
};

}  // namespace memside::engine
