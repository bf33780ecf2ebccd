#include "pim/dynamic/chunk_pool.h"

#include <algorithm>
#include <cassert>

namespace memside::pim {

ChunkPool::ChunkPool(std::uint32_t first_row, std::uint32_t rows, std::uint32_t chunk_rows)
    : chunk_rows_(chunk_rows), size_(rows / chunk_rows) {
    assert(chunk_rows > 0);
    free_.reserve(size_);
    for (std::size_t i = size_; i-- > 0;) {
        free_.push_back(first_row + static_cast<std::uint32_t>(i) * chunk_rows);
    }
}

ChunkPool::ChunkPool(std::vector<std::uint32_t> first_rows, std::uint32_t chunk_rows)
    : chunk_rows_(chunk_rows), free_(std::move(first_rows)), size_(free_.size()) {
    assert(chunk_rows > 0);
}

bool ChunkPool::touches(std::uint32_t first_row, std::uint32_t rows) const {
    return std::any_of(free_.begin(), free_.end(), [&](std::uint32_t chunk) {
        return chunk < first_row + rows && first_row < chunk + chunk_rows_;
    });
}

bool ChunkPool::overlaps() const {
    std::vector<std::uint32_t> sorted = free_;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        if (sorted[i] - sorted[i - 1] < chunk_rows_) return true;
    }
    return false;
}

std::optional<std::uint32_t> ChunkPool::take() {
    if (free_.empty()) return std::nullopt;
    const std::uint32_t first_row = free_.back();
    free_.pop_back();
    return first_row;
}

void ChunkPool::give(std::uint32_t first_row) {
    assert(free_.size() < size_);
    assert(std::find(free_.begin(), free_.end(), first_row) == free_.end());
    free_.push_back(first_row);
}

}  // namespace memside::pim
