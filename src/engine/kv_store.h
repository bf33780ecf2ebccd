// Keys and values of one sequence, in pages of consecutive tokens per layer and KV head. A page is
// one contiguous piece, laid out as kv_page.h says, so that attending one is reading 8 to 64 KiB in
// order. Pages of a layer lie in page order, within a page in the order of KV heads.
//
// With a file tier, pages lie in a file once they are full. In memory are the first pages of a
// layer, as many as FileTier says, and the last ones: those being written and some before them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/huge_memory.h"
#include "engine/kv_file.h"
#include "engine/kv_page.h"
#include "engine/page_stream.h"
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
    // Bytes that a page of a KV head begins at a multiple of. A store with a file sets it.
    std::int64_t piece_alignment = 64;
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
    // From a page of a KV head to that of the next one.
    std::int64_t piece_bytes() const {
        return (page_bytes() + piece_alignment - 1) / piece_alignment * piece_alignment;
    }
    // A page of all KV heads.
    std::int64_t whole_bytes() const { return piece_bytes() * kv_heads; }
};

// Where pages lie that do not stay in memory.
struct FileTier {
    std::string folder;                         // of the file; empty: all stay in memory
    const FileReaderVariant* reader = nullptr;  // null: the first that works
    std::int64_t frame_bytes = 0;               // memory for pages that are being read and attended
    std::int64_t open_tokens = 1;               // written at once, at most
    // Memory of a layer's last pages, within an eighth of them all: where many pages come at once
    // they go to the file in pieces of that size.
    std::int64_t write_bytes = std::int64_t{1} << 20;
    std::vector<std::int64_t> first_pages;  // that stay in memory, of each layer; empty: none
};

class SavedPages;
struct SavedKvFile;

class KvStore {
  public:
    // Reserves address space for the whole capacity; memory is taken as tokens come. infeasible
    // when the machine has not that much, bad_input for a type that the store does not take.
    // `shared`: processes that are forked later see the same memory. A tier has one memory node.
    static Result<KvStore> make(KvShape shape, const FileTier& tier = {}, bool shared = false);

    // Before tokens [first, first + tokens) of a layer are written; nothing is missing before
    // them, and what was written from there on is forgotten. Fails when a page that is cut cannot
    // be read back.
    Status open(int layer, std::int64_t first, std::int64_t tokens);
    // After the tokens before `end` were written: full pages go to the file.
    Status close(int layer, std::int64_t end);

    // Writes the keys and values of the token at `position`, f32 [kv_heads x head_dim] each,
    // rounded to the type. Different positions of a layer may be written by different threads.
    void write(int layer, std::int64_t position, const float* keys, const float* values);

    // Of a page in memory.
    KvPage page(int layer, std::int64_t page, int kv_head) const {
        return view(piece(layer, page, kv_head));
    }

    // The same page as the bytes that hold it, page_bytes() of the shape: copying them copies it.
    // The pieces of a page's KV heads lie side by side, piece_bytes() apart.
    const std::byte* piece(int layer, std::int64_t page, int kv_head) const {
        return start(layer, page) + kv_head * piece_bytes_;
    }

    // Whether a page has to be read, and where from.
    bool in_file(int layer, std::int64_t page) const {
        const Layer& at = layers_[static_cast<std::size_t>(layer)];
        return page >= at.first_pages && page < at.tail;
    }
    std::int64_t pages_in_file(int layer, std::int64_t first, std::int64_t last) const {
        const Layer& at = layers_[static_cast<std::size_t>(layer)];
        return std::max<std::int64_t>(std::min(last, at.tail) - std::max(first, at.first_pages), 0);
    }
    std::int64_t offset(int layer, std::int64_t page, int kv_head = 0) const {
        return file_->offset(layer, page, kv_head);
    }
    // What pages in the file are read with; null when all are in memory.
    PageStream* stream() const { return stream_.get(); }
    const KvFile* file() const { return file_.get(); }
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
    // Pages [first, last) of a layer, which have been opened.
    void fill_random(int layer, std::int64_t first, std::int64_t last, std::uint64_t seed,
                     ThreadPool& pool);

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
    // Bytes of memory that pages take when the store is full, frames included.
    std::int64_t memory_bytes() const;
    // Pages of a layer that may be written before they are closed, side by side.
    std::int64_t open_pages(int layer) const {
        const Layer& at = layers_[static_cast<std::size_t>(layer)];
        return at.ring > 0 ? at.ring : at.first_pages;
    }

  private:
    struct Layer {
        HugeMemory memory;
        std::int64_t first_pages = 0;  // each with a place of its own
        std::int64_t ring = 0;         // places after them, which later pages take in turn
        bool filed = false;            // pages that leave the ring are in the file
        std::int64_t written = 0;      // pages before it are in the file, or among the first
        std::int64_t tail = 0;         // pages from it on are in the ring
    };

    bool usable_saved(int layer, std::int64_t page, int kv_head) const;
    Status copy_layer(const SavedKvFile& file, int layer, std::int64_t pages, ThreadPool& pool);

    // Pages of a layer that lie somewhere: in memory or in the file.
    std::int64_t places(std::size_t layer) const;
    std::int64_t place_of(int layer, std::int64_t page) const {
        const Layer& at = layers_[static_cast<std::size_t>(layer)];
        return page < at.first_pages ? page : at.first_pages + page % at.ring;
    }
    std::byte* start(int layer, std::int64_t page) const {
        const Layer& at = layers_[static_cast<std::size_t>(layer)];
        const std::int64_t place = place_of(layer, page);
        const std::int64_t bytes = piece_bytes_ * shape_.kv_heads;
        if (shape_.memory_nodes == 1) return at.memory.data() + place * bytes;
        return at.memory.data() + place % shape_.memory_nodes * node_bytes(layer) +
               place / shape_.memory_nodes * bytes;
    }
    // Of each node's part of a layer, in whole huge pages.
    std::int64_t node_bytes(int layer) const {
        const HugeMemory& memory = layers_[static_cast<std::size_t>(layer)].memory;
        return static_cast<std::int64_t>(memory.size()) / shape_.memory_nodes;
    }
    void arrange(const FileTier& tier);
    Status check_memory() const;
    Status make_file(const FileTier& tier);
    Status read_back(int layer, std::int64_t page);

    KvShape shape_;
    // Those of the shape: every page of every step asks for them.
    std::int64_t piece_bytes_ = 0;
    std::int64_t key_bytes_ = 0;
    std::int64_t key_scale_bytes_ = 0;
    std::int64_t value_scale_bytes_ = 0;
    std::int64_t frame_bytes_ = 0;
    std::vector<Layer> layers_;
    std::unique_ptr<KvFile> file_;
    std::unique_ptr<PageStream> stream_;
    std::shared_ptr<SavedPages> saved_;  // of a loaded sequence
};

}  // namespace memside::engine
