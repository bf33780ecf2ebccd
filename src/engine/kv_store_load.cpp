// Of kv_store.h: sequences that come from a file.
#include <atomic>
#include <cassert>
#include <cstring>

#include "base/crc32c.h"
#include "engine/kv_store.h"
#include "engine/saved_pages.h"
#include "kv/layout.h"

namespace memside::engine {

Status KvStore::load(std::shared_ptr<const SavedKvFile> file, std::int64_t tokens,
                     ThreadPool& pool) {
    const SavedKv& saved = file->saved;
    assert(tokens <= shape_.capacity_tokens && tokens <= saved.contents().tokens());
    assert(saved.contents().shape.page_bytes() == piece_bytes_ && file_ == nullptr);
    const std::int64_t pages = kv::page_count(tokens, shape_.page_tokens);
    std::vector<std::int64_t> mapped(layers_.size(), 0);
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        if (shape_.kept_tokens[layer] != 0) {
            MEMSIDE_CHECK(copy_layer(*file, static_cast<int>(layer), pages, pool));
            continue;
        }
        mapped[layer] = pages;
        const Status status = layers_[layer].memory.map(
            file->file.descriptor(), saved.layers()[layer].pages_offset,
            static_cast<std::size_t>(pages * piece_bytes_ * shape_.kv_heads));
        if (!status.ok()) return Error{saved.path(), status.error().what, status.error().kind};
    }
    saved_ = std::make_shared<SavedPages>(std::move(file), mapped);
    return prepare_write(tokens, 0);
}

// Where a layer writes over its oldest pages, a page's place depends on the capacity.
Status KvStore::copy_layer(const SavedKvFile& file, int layer, std::int64_t pages,
                           ThreadPool& pool) {
    const SavedKv& saved = file.saved;
    const auto index = static_cast<std::size_t>(layer);
    const auto first = std::max(static_cast<std::int64_t>(saved.layers()[index].first_page),
                                pages - places(index));
    assert(first < pages);
    std::atomic<std::int64_t> damaged{-1};
    pool.run((pages - first) * shape_.kv_heads, [&](std::int64_t piece) {
        const std::int64_t page = first + piece / shape_.kv_heads;
        const auto head = static_cast<int>(piece % shape_.kv_heads);
        std::byte* to = start(layer, page) + head * piece_bytes_;
        // The copy is verified, not what it was made of.
        const auto bytes = static_cast<std::size_t>(piece_bytes_);
        std::memcpy(to, saved.piece(layer, page, head).data(), bytes);
        if (crc32c({to, bytes}) != saved.piece_crc(layer, page, head)) damaged = piece;
    });
    if (damaged < 0) return {};
    return saved.damaged_piece(layer, first + damaged / shape_.kv_heads,
                               static_cast<int>(damaged % shape_.kv_heads));
}

bool KvStore::usable_saved(int layer, std::int64_t page, int kv_head) const {
    return saved_->verify(layer, page, kv_head, piece(layer, page, kv_head));
}

Status KvStore::take_failure() const {
    return saved_ == nullptr ? Status() : saved_->take_failure();
}

Status KvStore::verify(int layer, std::int64_t tokens, ThreadPool& pool) const {
    if (saved_ == nullptr) return {};
    pool.run(kv::page_count(tokens, shape_.page_tokens), [&](std::int64_t page) {
        for (int head = 0; head < shape_.kv_heads; ++head) usable(layer, page, head);
    });
    return take_failure();
}

Status KvStore::prepare_write(std::int64_t first, std::int64_t tokens) {
    if (saved_ == nullptr) return {};
    const std::int64_t page = first / shape_.page_tokens;
    const bool begun = first % shape_.page_tokens != 0;
    for (int layer = 0; layer < static_cast<int>(layers_.size()); ++layer) {
        for (int head = 0; begun && head < shape_.kv_heads; ++head) usable(layer, page, head);
        for (std::int64_t new_page = page + (begun ? 1 : 0);
             new_page * shape_.page_tokens < first + tokens; ++new_page) {
            saved_->replace(layer, new_page);
        }
    }
    return take_failure();
}

}  // namespace memside::engine
