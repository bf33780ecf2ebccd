// Free chunks of a module's rows: the physical side of lazy allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace memside::pim {

// Chunks of chunk_rows rows in all channels at once, named by their first row.
class ChunkPool {
  public:
    // As many whole chunks as lie in rows [first_row, + rows); the lowest is taken first.
    ChunkPool(std::uint32_t first_row, std::uint32_t rows, std::uint32_t chunk_rows);
    // These chunks, taken from the last to the first: for layouts without any order.
    ChunkPool(std::vector<std::uint32_t> first_rows, std::uint32_t chunk_rows);

    std::uint32_t chunk_rows() const { return chunk_rows_; }
    std::size_t size() const { return size_; }
    std::size_t free() const { return free_.size(); }
    std::size_t used() const { return size_ - free_.size(); }

    // Whether a free chunk has a row of [first_row, + rows), or of another free chunk.
    bool touches(std::uint32_t first_row, std::uint32_t rows) const;
    bool overlaps() const;

    // nullopt when none is free.
    std::optional<std::uint32_t> take();
    // Of one that was taken. The one given last is taken next.
    void give(std::uint32_t first_row);

  private:
    std::uint32_t chunk_rows_;
    std::vector<std::uint32_t> free_;
    std::size_t size_;
};

}  // namespace memside::pim
