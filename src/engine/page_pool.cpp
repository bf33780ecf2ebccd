#include "engine/page_pool.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace memside::engine {

Result<PagePool> PagePool::make(const KvShape& shape, const PageSets& sets,
                                const std::vector<bool>& layers, std::int64_t places) {
    PagePool pool;
    pool.sets_ = sets;
    pool.piece_bytes_ = shape.piece_bytes();
    pool.places_ = places;
    std::int64_t count = 0;
    for (const bool has : layers) pool.rank_.push_back(has ? count++ : -1);
    pool.entries_.resize(static_cast<std::size_t>(count * sets.count()));
    for (Entry& entry : pool.entries_) {
        for (std::int64_t place = places; place-- > 0;) entry.free.push_back(place);
    }
    const std::int64_t bytes = count * sets.count() * sets.kv_heads() * places * pool.piece_bytes_;
    MEMSIDE_TRY(pool.memory_, HugeMemory::reserve(static_cast<std::size_t>(bytes)));
    return pool;
}

std::byte* PagePool::place(int layer, std::int64_t set, std::int64_t index) const {
    const auto rank = static_cast<std::int64_t>(this->index(layer, set));
    return memory_.data() + (rank * places_ + index) * sets_.kv_heads() * piece_bytes_;
}

void PagePool::apply(const KvStore& store, int layer, std::int64_t set,
                     const kv::ResidencyChange& change) {
    Entry& own = entries_[index(layer, set)];
    const Entry before = own;
    own.pages = kv::resident_after(before.pages, change);
    own.places.assign(own.pages.size(), -1);
    own.unread.assign(own.pages.size(), 0);
    for (std::size_t i = 0; i < before.pages.size(); ++i) {
        const auto at = std::ranges::lower_bound(own.pages, before.pages[i]);
        if (at != own.pages.end() && *at == before.pages[i]) {
            const auto now = static_cast<std::size_t>(at - own.pages.begin());
            own.places[now] = before.places[i];
            own.unread[now] = before.unread[i];
        } else {
            own.free.push_back(before.places[i]);
        }
    }
    for (std::size_t i = 0; i < own.pages.size(); ++i) {
        if (own.places[i] >= 0) continue;
        assert(!own.free.empty());
        own.places[i] = own.free.back();
        own.free.pop_back();
        if (store.in_file(layer, own.pages[i])) {
            own.unread[i] = 1;
            continue;
        }
        std::byte* to = place(layer, set, own.places[i]);
        // A page's pieces of neighbouring KV heads lie side by side.
        std::memcpy(to, store.piece(layer, own.pages[i], sets_.first_kv_head(set)),
                    static_cast<std::size_t>(sets_.kv_heads() * piece_bytes_));
    }
}

std::byte* PagePool::piece(int layer, std::int64_t set, std::size_t index, int head) const {
    return place(layer, set, entry(layer, set).places[index]) + head * piece_bytes_;
}

void PagePool::truncate(std::int64_t pages) {
    for (Entry& entry : entries_) {
        while (!entry.pages.empty() && entry.pages.back() >= pages) {
            entry.free.push_back(entry.places.back());
            entry.pages.pop_back();
            entry.places.pop_back();
            entry.unread.pop_back();
        }
    }
}

}  // namespace memside::engine
