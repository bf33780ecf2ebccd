// Decoding with a real model: the forward pass of llama, qwen2, qwen3 and gemma3, whose differences
// DecoderConfig describes. Tokens are fed in blocks (prefill) or one at a time (a decode step).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/activations.h"
#include "engine/attention.h"
#include "engine/decoder_observer.h"
#include "engine/decoder_weights.h"
#include "engine/kv_policy.h"
#include "engine/kv_store.h"
#include "engine/kv_tier.h"
#include "engine/near_memory.h"
#include "engine/policy_attention.h"
#include "engine/rope.h"
#include "engine/thread_pool.h"

namespace memside::engine {

using TokenId = std::int32_t;

struct DecoderOptions {
    std::int64_t capacity_tokens = 0;  // the longest sequence
    std::int64_t page_tokens = 64;
    // How far back truncate() may go where a layer's window slides; any model can go back to 0.
    std::int64_t rewind_tokens = 0;
    kv::ValueType kv_type = kv::ValueType::f16;  // f16, bf16, int8
    unsigned threads = 0;                        // 0: all cores
    MemoryPlacement placement;  // whose threads serve the memory; their number when `threads` is 0
    // Of decode steps. Blocks of a prompt attend everything, and so do layers whose window slides.
    KvPolicy policy;
    KvTier tier;
    // Bytes that activations are rounded to for quantised weights: 1, or 2, which brings logits a
    // hundred times closer to those of exact arithmetic for a tenth of a step's time.
    std::int64_t activation_terms = 2;
};

// What the steps since reset_statistics() took and read.
struct StepStatistics {
    double total_s = 0.0;
    double attention_s = 0.0;         // without scoring and recall
    std::int64_t dense_kv_bytes = 0;  // read by attention that does not select
    std::int64_t dense_kv_bytes_from_file = 0;
    PolicyCounts policy;
    StreamCounts stream;  // reads of the file, if there is one

    std::int64_t kv_bytes() const { return dense_kv_bytes + policy.kv_bytes; }
    // Of those, of pages that had to be read from the file.
    std::int64_t kv_bytes_from_file() const {
        return dense_kv_bytes_from_file + policy.kv_bytes_from_file;
    }
};

// What keys and values take when the sequence is as long as it may become: pages, frames and the
// policy's pool, but not digests.
struct KvMemory {
    std::int64_t memory_bytes = 0;
    std::int64_t file_bytes = 0;  // 0: none has to be read
};

class Decoder {
  public:
    // `model` must outlive the decoder. bad_input for a policy that contradicts itself; infeasible
    // when keys, values, digests or the pool do not fit this machine.
    static Result<std::unique_ptr<Decoder>> make(const ModelFile& model,
                                                 const DecoderOptions& options);

    // Appends tokens to the sequence and returns the logits after the last one, f32 [vocab], valid
    // until the next call. At least one token; ids below the vocabulary; within the capacity. One
    // token is a decode step, several are a prompt; of those, `fed` hears how many are in. An error
    // is that of a page that could not be read: the sequence is then as long as `fed` last heard.
    Result<std::span<const float>> feed(std::span<const TokenId> tokens,
                                        const std::function<void(std::int64_t)>& fed = {});

    // The same, but every token is a decode step of its own.
    Result<std::span<const float>> step(std::span<const TokenId> tokens);

    // From here on steps follow another policy, over the keys and values that are there, all of
    // them in memory; statistics start anew. Errors are those of make(), and leave the policy as it
    // was.
    Status set_policy(const KvPolicy& policy);

    // Tokens in the sequence.
    std::int64_t length() const { return length_; }
    // Forgets the sequence but for its first `tokens` tokens. Layers whose window slides have
    // written over what lay further back than the options' rewind_tokens.
    void truncate(std::int64_t tokens);
    // A sequence of `tokens` tokens with random keys and values instead of a prompt: for measuring
    // decode steps at a depth.
    // `filled` hears how much of them is in.
    Status fill_random(std::int64_t tokens, std::uint64_t seed,
                       const std::function<void(std::int64_t)>& filled = {});

    // Goes on with the first `tokens` tokens of a saved sequence, which passed check_saved_kv() and
    // resume_point(). Digests that the file has not, or has otherwise, are made again, from pages
    // that are thereby verified; true when any were. After an error the decoder is of no use.
    Result<bool> load(std::shared_ptr<const SavedKvFile> file, std::int64_t tokens);
    // Verifies all pages of a loaded sequence; `done` hears how many layers are.
    Status verify(const std::function<void(std::int64_t)>& done = {});
    // Saves the sequence, whose tokens these are (write_saved_kv); the size of the file.
    Result<std::int64_t> save(std::span<const TokenId> tokens, std::uint64_t fingerprint,
                              const std::string& path,
                              const std::function<void(std::int64_t)>& saved = {});

    // Who hears of every layer from now on; null: nobody. Must outlive its use.
    void observe(DecoderObserver* observer) { observer_ = observer; }

    const KvStore& store() const { return store_; }
    // For who works beside the decoder, between its steps or when it is heard.
    ThreadPool& pool() { return pool_; }
    // The policy's attention, or null for dense.
    const PolicyAttention* selection() const { return selected_.get(); }
    KvMemory memory() const;
    StepStatistics statistics() const;
    void reset_statistics();
    int heads() const { return config_.spec.heads; }
    unsigned threads() const { return pool_.threads(); }

  private:
    Decoder(const ModelFile& model, const DecoderOptions& options, KvStore store);
    Status make_selection(const KvPolicy& policy, const std::vector<bool>& selecting);
    Status fill_layer(int layer, std::int64_t tokens, std::uint64_t seed);
    void read_ahead(int layer, std::int64_t tokens) const;
    // Takes what the store holds into the digests of a new policy.
    Status digest_store();

    Result<std::span<const float>> feed_blocks(std::span<const TokenId> tokens, std::int64_t block,
                                               const std::function<void(std::int64_t)>& fed);
    Status feed_block(std::span<const TokenId> tokens);
    void embed(std::span<const TokenId> tokens);
    void prepare_angles(std::int64_t tokens);
    Status attend(int layer, std::int64_t tokens);
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
    std::vector<int> nodes_;  // that memory is bound to; empty: none
    Attention attention_;
    std::unique_ptr<PolicyAttention> selected_;
    DecoderObserver* observer_ = nullptr;
    Rope rope_;
    Rope sliding_rope_;
    bool reads_ahead_;
    std::int64_t length_ = 0;
    bool decoding_ = false;  // a token alone, not the rest of a prompt
    double total_s_ = 0.0;
    double attending_s_ = 0.0;  // scoring and recall included
    std::int64_t dense_bytes_before_ = 0;
    std::int64_t file_bytes_before_ = 0;

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
