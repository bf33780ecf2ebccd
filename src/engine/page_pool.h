// A pool of fast memory: copies of pages of a KvStore, a fixed number of places for each page set
// of each layer. Which pages are in it is decided by kv/residency.h.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/huge_memory.h"
#include "engine/kv_store.h"
#include "engine/page_sets.h"
#include "kv/pages.h"
#include "kv/residency.h"

namespace memside::engine {

class PagePool {
  public:
    // An empty pool without places.
    PagePool() = default;

    // `places` pages for every set of every layer of `layers`. infeasible when the machine has not
    // that much memory.
    static Result<PagePool> make(const KvShape& shape, const PageSets& sets,
                                 const std::vector<bool>& layers, std::int64_t places);

    // Pages of a set that have a copy.
    const kv::PageList& resident(int layer, std::int64_t set) const {
        return entry(layer, set).pages;
    }

    // Copies the recalled pages, which must be full, to the places of the evicted ones or to free
    // ones. Those in the store's file only get their places: whoever attends them reads them there
    // and says so. Sets may be changed by different threads.
    void apply(const KvStore& store, int layer, std::int64_t set,
               const kv::ResidencyChange& change);

    // The copy of the resident page at `index` of resident(), of the set's KV head `head`.
    std::byte* piece(int layer, std::int64_t set, std::size_t index, int head) const;

    // Whether it has a place only.
    bool unread(int layer, std::int64_t set, std::size_t index) const {
        return entry(layer, set).unread[index] != 0;
    }
    // It has been read.
    void set_read(int layer, std::int64_t set, std::size_t index) {
        entries_[this->index(layer, set)].unread[index] = 0;
    }

    // Forgets pages from `pages` on.
    void truncate(std::int64_t pages);

    // Of all places.
    std::int64_t bytes() const {
        return static_cast<std::int64_t>(entries_.size()) * places_ * sets_.kv_heads() *
               piece_bytes_;
    }

  private:
    struct Entry {
        kv::PageList pages;                // resident, ascending
        std::vector<std::int64_t> places;  // of each of them
        std::vector<char> unread;          // whether its place is all that it has
        std::vector<std::int64_t> free;
    };

    std::size_t index(int layer, std::int64_t set) const {
        return static_cast<std::size_t>(rank_[static_cast<std::size_t>(layer)] * sets_.count() +
                                        set);
    }
    const Entry& entry(int layer, std::int64_t set) const { return entries_[index(layer, set)]; }
    std::byte* place(int layer, std::int64_t set, std::int64_t index) const;

    PageSets sets_;
    std::int64_t piece_bytes_ = 0;    // of a page of one KV head
    std::int64_t places_ = 0;         // of a set
    std::vector<std::int64_t> rank_;  // of each layer among those that have a pool
    std::vector<Entry> entries_;      // [layers with a pool][sets]
    HugeMemory memory_;
};

}  // namespace memside::engine
