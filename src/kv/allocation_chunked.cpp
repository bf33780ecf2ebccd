// Lazy allocation in chunks: a request holds only what it has filled, rounded up to a chunk, and
// its chunks lie anywhere; its table finds them. What is lost is half a chunk per request.
#include <cassert>

#include "kv/allocation.h"

namespace memside::kv {
namespace {

class ChunkedAllocator final : public KvAllocator {
  public:
    explicit ChunkedAllocator(const AllocationOptions& options)
        : capacity_bytes_(options.capacity_bytes), chunk_bytes_(options.chunk_bytes) {}

    bool admit(RequestId request, std::int64_t bytes) override {
        assert(bytes >= 0 && !table_.contains(request));
        if (chunks_for(bytes) > free_chunks()) return false;
        extend(table_[request], bytes);
        return true;
    }

    bool grow(RequestId request, std::int64_t bytes) override {
        Chunks& chunks = table_.at(request);
        assert(bytes >= chunks.live_bytes);
        const std::int64_t more =
            chunks_for(bytes) - static_cast<std::int64_t>(chunks.indices.size());
        if (more > free_chunks()) return false;
        extend(chunks, bytes);
        return true;
    }

    void release(RequestId request) override {
        const Chunks& chunks = table_.at(request);
        live_bytes_ -= chunks.live_bytes;
        // Backwards, so that the next request finds them in ascending order.
        freed_.insert(freed_.end(), chunks.indices.rbegin(), chunks.indices.rend());
        table_.erase(request);
    }

    std::vector<Extent> extents(RequestId request) const override {
        const Chunks& chunks = table_.at(request);
        std::vector<Extent> extents;
        std::int64_t left = chunks.live_bytes;
        for (const std::int64_t index : chunks.indices) {
            const std::int64_t size = std::min(left, chunk_bytes_);
            const std::int64_t offset = index * chunk_bytes_;
            left -= size;
            if (!extents.empty() &&
                extents.back().offset_bytes + extents.back().size_bytes == offset) {
                extents.back().size_bytes += size;
            } else {
                extents.push_back({offset, size});
            }
        }
        return extents;
    }

    std::int64_t address(RequestId request, std::int64_t offset_bytes) const override {
        const Chunks& chunks = table_.at(request);
        assert(offset_bytes >= 0 && offset_bytes < chunks.live_bytes);
        const auto entry = static_cast<std::size_t>(offset_bytes / chunk_bytes_);
        return chunks.indices[entry] * chunk_bytes_ + offset_bytes % chunk_bytes_;
    }

    std::int64_t capacity_bytes() const override { return capacity_bytes_; }
    std::int64_t reserved_bytes() const override {
        return (used_chunks_ - static_cast<std::int64_t>(freed_.size())) * chunk_bytes_;
    }
    std::int64_t live_bytes() const override { return live_bytes_; }
    std::int64_t requests() const override { return static_cast<std::int64_t>(table_.size()); }

  private:
    struct Chunks {
        std::vector<std::int64_t> indices;  // the chunk table: physical chunk of each logical one
        std::int64_t live_bytes = 0;
    };

    std::int64_t chunks_for(std::int64_t bytes) const {
        return bytes / chunk_bytes_ + (bytes % chunk_bytes_ != 0 ? 1 : 0);
    }

    std::int64_t free_chunks() const {
        return capacity_bytes_ / chunk_bytes_ - used_chunks_ +
               static_cast<std::int64_t>(freed_.size());
    }

    void extend(Chunks& chunks, std::int64_t bytes) {
        const auto wanted = static_cast<std::size_t>(chunks_for(bytes));
        while (chunks.indices.size() < wanted) {
            if (freed_.empty()) {
                chunks.indices.push_back(used_chunks_++);
            } else {
                chunks.indices.push_back(freed_.back());
                freed_.pop_back();
            }
        }
        live_bytes_ += bytes - chunks.live_bytes;
        chunks.live_bytes = bytes;
    }

    std::int64_t capacity_bytes_;
    std::int64_t chunk_bytes_;
    std::int64_t live_bytes_ = 0;
    std::int64_t used_chunks_ = 0;     // chunks handed out at least once: 0 to used_chunks_ - 1
    std::vector<std::int64_t> freed_;  // of those, the ones given back; the last goes first
    std::map<RequestId, Chunks> table_;
};

}  // namespace

std::unique_ptr<KvAllocator> make_chunked_allocator(const AllocationOptions& options) {
    return std::make_unique<ChunkedAllocator>(options);
}

}  // namespace memside::kv
