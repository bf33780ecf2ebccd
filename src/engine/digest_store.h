// Digests of the pages of one sequence, for all layers that select pages, in the blocks that a step
// scans (digest_kernel.h). Which corners stand for a page is the business of kv/digest.h; they
// stand for the keys as the KV store holds them, and are rounded outward.
//
// Sixteen pages that lie side by side have a digest of their own, a superpage: the box around their
// boxes as stored, rounded outward again. Its score is never below that of a page in it, whatever
// the kind, so that a scan may leave out pages (page_selector.h).
//
// In memory a group of 256 pages is, for each KV head in turn, the block of its 16 superpages, then
// 16 times the blocks of 16 pages: memory grows with the sequence, and a scan reads it in order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/digest_kernel.h"
#include "engine/huge_memory.h"
#include "engine/kv_store.h"
#include "kv/digest.h"

namespace memside::engine {

// Pages of a superpage: those of a block, so that whoever leaves it out leaves out whole lines.
inline constexpr std::int64_t superpage_pages = digest_block_pages;

struct DigestConfig {
    kv::DigestKind kind = kv::DigestKind::minmax;
    kv::DigestType type = kv::DigestType::f16;
    float coefficient = 1.0F;  // as kv::check_coefficient wants it
    std::vector<bool> layers;  // which layers have digests; empty: all
};

// Bytes that the digests of `tokens` tokens of one layer take up from the beginning of its memory.
std::int64_t digest_prefix_bytes(const KvShape& shape, kv::DigestType type, std::int64_t tokens);

class DigestStore {
  public:
    // Address space for every page of the shape's capacity; memory is taken as tokens come.
    // infeasible when the machine has not that much.
    static Result<DigestStore> make(const KvShape& shape, const DigestConfig& config);

    // Takes in tokens [first, first + tokens) of a layer, which have been written to the store.
    // Nothing may be missing before `first`; tokens from there on that were taken in earlier are
    // forgotten, as after a rewind, also when `tokens` is 0. A token a call costs one key a KV
    // head.
    void append(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens);

    // The same on many threads, for a block of a prompt.
    void append(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens,
                ThreadPool& pool);

    // The digests of the first `tokens` tokens of a layer, digest_prefix_bytes() of them, and the
    // way back: they then stand for that many tokens. The layer must select. Layers may be restored
    // by different threads.
    std::span<const std::byte> stored(int layer, std::int64_t tokens) const;
    void restore(int layer, std::int64_t tokens, std::span<const std::byte> bytes);

    // Has the memory come from these nodes in turn. environment when that fails.
    Status bind(const std::vector<int>& nodes);
    // Takes in again tokens [first, first + tokens), which have been written over in the store;
    // none of the later ones is forgotten. Costs their whole superpages.
    void renew(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens);

    bool has_layer(int layer) const { return layers_[static_cast<std::size_t>(layer)].selects; }

    // Bytes of the digests of `tokens` tokens, all layers, in whole blocks.
    std::int64_t bytes(std::int64_t tokens) const;

    const DigestConfig& config() const { return config_; }
    kv::DigestType type() const { return config_.type; }
    const KvShape& shape() const { return shape_; }
    std::int64_t block_bytes() const { return digest_block_bytes(shape_.head_dim, config_.type); }

    // The block of 16 pages from 16 x `block` on. Lanes of pages that are not there hold anything.
    const std::byte* block(int layer, int kv_head, std::int64_t block) const {
        return start(layer, kv_head, block / digest_block_pages, 1 + block % digest_block_pages);
    }
    // The block of 16 superpages from 16 x `block` on.
    const std::byte* superpages(int layer, int kv_head, std::int64_t block) const {
        return start(layer, kv_head, block, 0);
    }

  private:
    struct Corners {
        std::vector<float> low;   // [head_dim]
        std::vector<float> high;  // [head_dim]
    };
    // The page of a KV head that is being written, and its superpage.
    struct OpenPage {
        std::int64_t page = -1;
        std::unique_ptr<kv::Digest> digest;
        Corners exact;            // its box
        Corners own;              // the same as stored
        Corners closed;           // the box around the pages of its superpage before it
        Corners all;              // around them and `own`
        Corners all_stored;       // the same as stored
        Corners next;             // scratch
        std::vector<float> keys;  // f32 [tokens][head_dim], what a call adds
    };
    struct Layer {
        bool selects = false;
        std::int64_t tokens = 0;
        HugeMemory memory;
        std::vector<OpenPage> open;  // [kv_heads]
    };

    OpenPage nothing_open() const;
    std::byte* start(int layer, int kv_head, std::int64_t group, std::int64_t row) const {
        return layers_[static_cast<std::size_t>(layer)].memory.data() +
               ((group * (digest_block_pages + 1) + row) * shape_.kv_heads + kv_head) *
                   block_bytes();
    }
    void grow(const KvStore& store, int layer, int kv_head, std::int64_t first, std::int64_t last,
              OpenPage& open) const;
    void store(bool continues, const Corners& before, const Corners& now, Corners& stored,
               std::byte* block, std::int64_t lane) const;
    void store_page(int layer, int kv_head, bool continues, OpenPage& open) const;
    void open_page(int layer, int kv_head, std::int64_t page, OpenPage& open) const;

    KvShape shape_;
    DigestConfig config_;
    std::vector<Layer> layers_;
};

}  // namespace memside::engine
