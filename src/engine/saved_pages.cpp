#include "engine/saved_pages.h"

#include "base/crc32c.h"

namespace memside::engine {

SavedPages::SavedPages(std::shared_ptr<const SavedKvFile> file,
                       const std::vector<std::int64_t>& pages)
    : file_(std::move(file)),
      kv_heads_(file_->saved.contents().shape.kv_heads),
      piece_bytes_(static_cast<std::size_t>(file_->saved.contents().shape.page_bytes())) {
    for (const std::int64_t count : pages) {
        const auto bits = static_cast<std::size_t>(count * kv_heads_);
        bits_.emplace_back((bits + 63) / 64);
        // The rest of the last word belongs to pages that are not the file's.
        if (bits % 64 != 0) bits_.back().back() = ~std::uint64_t{0} << bits % 64;
    }
}

void SavedPages::mark(int layer, std::int64_t page, int kv_head) {
    const auto bit = static_cast<std::size_t>(page * kv_heads_ + kv_head);
    bits_[index(layer)][bit / 64].fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_acq_rel);
}

bool SavedPages::compute(int layer, std::int64_t page, int kv_head, const std::byte* bytes) {
    const SavedKv& saved = file_->saved;
    if (crc32c({bytes, piece_bytes_}) == saved.piece_crc(layer, page, kv_head)) {
        mark(layer, page, kv_head);
        return true;
    }
    const std::lock_guard lock(failing_);
    if (!failure_) failure_ = saved.damaged_piece(layer, page, kv_head);
    return false;
}

void SavedPages::replace(int layer, std::int64_t page) {
    for (int head = 0; head < kv_heads_; ++head) {
        if (!verified(layer, page, head)) mark(layer, page, head);
    }
}

Status SavedPages::take_failure() {
    const std::lock_guard lock(failing_);
    if (!failure_) return {};
    const Error error = std::move(*failure_);
    failure_.reset();
    return error;
}

}  // namespace memside::engine
