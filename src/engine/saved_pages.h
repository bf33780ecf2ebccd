// Which pages of a loaded sequence have been verified. A piece, the page of one KV head, is when it
// is touched first; from then on, and once new tokens have taken its place, nobody looks again.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/saved_kv_file.h"

namespace memside::engine {

class SavedPages {
  public:
    // Of the first pages[layer] pages of each layer, which are those of the file.
    SavedPages(std::shared_ptr<const SavedKvFile> file, const std::vector<std::int64_t>& pages);

    // Whether a piece, as it lies in memory at `bytes`, may be used. When it may not, failure() has
    // the error. Any number of threads may ask, as long as none writes to the piece.
    bool verify(int layer, std::int64_t page, int kv_head, const std::byte* bytes) {
        if (verified(layer, page, kv_head)) return true;
        return compute(layer, page, kv_head, bytes);
    }

    // Whether verify() would not look at the piece.
    bool verified(int layer, std::int64_t page, int kv_head) const {
        const std::vector<std::atomic<std::uint64_t>>& words = bits_[index(layer)];
        const auto bit = static_cast<std::size_t>(page * kv_heads_ + kv_head);
        if (bit / 64 >= words.size()) return true;
        return (words[bit / 64].load(std::memory_order_acquire) >> bit % 64 & 1U) != 0;
    }

    // A page whose tokens are all written anew.
    void replace(int layer, std::int64_t page);

    // The first error since the last call.
    Status take_failure();

    const SavedKvFile& file() const { return *file_; }

  private:
    static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }
    bool compute(int layer, std::int64_t page, int kv_head, const std::byte* bytes);
    void mark(int layer, std::int64_t page, int kv_head);

    std::shared_ptr<const SavedKvFile> file_;
    std::int64_t kv_heads_;
    std::size_t piece_bytes_;
    // [layers][pages x kv_heads]: whether a piece may be used. Pages beyond them are not the
    // file's.
    std::vector<std::vector<std::atomic<std::uint64_t>>> bits_;
    std::mutex failing_;
    std::optional<Error> failure_;
};

}  // namespace memside::engine
