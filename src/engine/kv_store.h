// Keys and values of one sequence, in pages of consecutive tokens per layer and KV head. A page is
// one contiguous piece, laid out as kv_page.h says, so that attending one is reading 8 to 64 KiB in
// order. Pages of a layer lie in page order, within a page in the order of KV heads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/huge_memory.h"
#include "engine/kv_page.h"
#include "engine/thread_pool.h"

namespace memside::engine {

// The widest vector of tokens or dimensions that a kernel takes, in values.
inline constexpr std::int64_t kv_lanes = 16;
// Page sizes that the kernels take: powers of two in this range.
inline constexpr std::int64_t min_page_tokens = kv_lanes;
inline constexpr std::int64_t max_page_tokens = 4096;

struct KvShape {
    int kv_heads = 0;
    int head_dim = 0;
    std::int64_t page_tokens = 64;
    std::int64_t capacity_tokens = 0;
    // Per layer: how many tokens it keeps; 0: all. A layer that keeps fewer writes over the oldest.
    std::vector<std::int64_t> kept_tokens;
    kv::ValueType type = kv::ValueType::f16;
    // Memory nodes that pages go to in turn, each layer from the first node on.
    int memory_nodes = 1;

    std::int64_t value_stride() const { return (head_dim + kv_lanes - 1) / kv_lanes * kv_lanes; }
    // The parts of a page, in bytes, padded to a cache line.
    std::int64_t key_bytes() const;
    std::int64_t key_scale_bytes() const;
    std::int64_t value_scale_bytes() const;
    std::int64_t value_bytes() const;
    std::int64_t page_bytes() const {
        return key_bytes() + key_scale_bytes() + value_scale_bytes() + value_bytes();
    }
};

class SavedPages;
struct SavedKvFile;

class KvStore {
  public:
    // Reserves address space for the whole capacity; memory is taken as tokens come. infeasible
    // when the machine has not that much, bad_input for a type that the store does not take.
    // `shared`: processes that are forked later see the same memory.
    static Result<KvStore> make(KvShape shape, bool shared = false);

    // Writes the keys and values of the token at `position`, f32 [kv_heads x head_dim] each,
    // rounded to the type. Different positions of a layer may be written by different threads.
    void write(int layer, std::int64_t position, const float* keys, const float* values);

    KvPage page(int layer, std::int64_t page, int kv_head) const {
        return view(piece(layer, page, kv_head));
    }

    // The same page as the bytes that hold it, page_bytes() of the shape: copying them copies it.
    // The pieces of a page's KV heads lie side by side.
    const std::byte* piece(int layer, std::int64_t page, int kv_head) const {
        return start(layer, page) + kv_head * page_bytes_;
    }
    // A page in such bytes, here or in a copy.
    KvPage view(const std::byte* piece) const {
        const std::byte* scales = piece + key_bytes_;
        if (key_scale_bytes_ == 0) return {piece, scales, nullptr, nullptr, shape_.type};
        const std::byte* value_scales = scales + key_scale_bytes_;
        return {piece, value_scales + value_scale_bytes_,
                reinterpret_cast<const std::uint16_t*>(scales),
                reinterpret_cast<const std::uint16_t*>(value_scales), shape_.type};
    }

    // The keys of tokens [first, first + count) of a page, as stored: f32 [count][head_dim].
    void read_keys(int layer, std::int64_t page, int kv_head, std::int64_t first,
                   std::int64_t count, float* out) const;
    void read_values(int layer, std::int64_t page, int kv_head, std::int64_t first,
                     std::int64_t count, float* out) const;

    // Fills the first `tokens` tokens of all layers, whole pages, with values of at most 0.5 and
    // random signs: for measuring, at the speed of memory.
    void fill_random(std::int64_t tokens, std::uint64_t seed, ThreadPool& pool);

    // Takes over the first `tokens` tokens of a saved sequence of this shape, which fit the
    // capacity and of which no layer lacks the last page. Layers that keep everything are mapped:
    // their pages are read, and verified, as they are touched. The others are copied. bad_input for
    // a damaged page among those, and for the one that goes on being written.
    Status load(std::shared_ptr<const SavedKvFile> file, std::int64_t tokens, ThreadPool& pool);

    // Has the memory come from these nodes, as many as the shape has. environment when that fails.
    Status bind(const std::vector<int>& nodes);
    // The node of a page, by its place among them.
    int node_of(int layer, std::int64_t page) const {
        return static_cast<int>(place_of(layer, page) % shape_.memory_nodes);
    }

    // Whether a page may be read: false for a piece of a loaded sequence that is damaged, of which
    // take_failure() then has the error. To be asked before a page is read, by any thread.
    bool usable(int layer, std::int64_t page, int kv_head) const {
        return saved_ == nullptr || usable_saved(layer, page, kv_head);
    }
    // The error of the first page that was not usable since the last call.
    Status take_failure() const;

    // Verifies the pages of the first `tokens` tokens of a layer, which is done at their first use
    // otherwise.
    Status verify(int layer, std::int64_t tokens, ThreadPool& pool) const;

    // Before write() of tokens [first, first + tokens): what stays of a loaded page is verified
    // while it is as it was saved.
    Status prepare_write(std::int64_t first, std::int64_t tokens);

    bool loaded() const { return saved_ != nullptr; }
    // The state of a loaded sequence's pages, or null.
    const SavedPages* saved_pages() const { return saved_.get(); }

    const KvShape& shape() const { return shape_; }

    // Bytes that `tokens` tokens of all layers occupy, in whole pages.
    std::int64_t bytes_of(std::int64_t tokens) const;

  private:
    bool usable_saved(int layer, std::int64_t page, int kv_head) const;
    Status copy_layer(const SavedKvFile& file, int layer, std::int64_t pages, ThreadPool& pool);

    // Pages of a layer that have a place of their own.
    std::int64_t places(std::size_t layer) const;
    std::int64_t place_of(int layer, std::int64_t page) const {
        const auto index = static_cast<std::size_t>(layer);
        return shape_.kept_tokens[index] == 0 ? page : page % places(index);
    }
    std::byte* start(int layer, std::int64_t page) const {
        const HugeMemory& memory = layers_[static_cast<std::size_t>(layer)];
        const std::int64_t place = place_of(layer, page);
        if (shape_.memory_nodes == 1) return memory.data() + place * page_bytes_ * shape_.kv_heads;
        return memory.data() + place % shape_.memory_nodes * node_bytes(layer) +
               place / shape_.memory_nodes * page_bytes_ * shape_.kv_heads;
    }
    // Of each node's part of a layer, in whole huge pages.
    std::int64_t node_bytes(int layer) const {
        return static_cast<std::int64_t>(layers_[static_cast<std::size_t>(layer)].size()) /
               shape_.memory_nodes;
    }

    KvShape shape_;
    // Those of the shape: every page of every step asks for them.
    std::int64_t page_bytes_ = 0;
    std::int64_t key_bytes_ = 0;
    std::int64_t key_scale_bytes_ = 0;
    std::int64_t value_scale_bytes_ = 0;
    std::vector<HugeMemory> layers_;
    std::shared_ptr<SavedPages> saved_;  // of a loaded sequence
};

}  // namespace memside::engine
