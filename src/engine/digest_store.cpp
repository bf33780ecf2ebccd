#include "engine/digest_store.h"

#include <cassert>
#include <cstring>
#include <limits>

#include "engine/digest_block.h"
#include "engine/numa_topology.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

void unite(std::span<float> low, std::span<float> high, std::span<const float> other_low,
           std::span<const float> other_high) {
    for (std::size_t d = 0; d < low.size(); ++d) {
        low[d] = std::min(low[d], other_low[d]);
        high[d] = std::max(high[d], other_high[d]);
    }
}

}  // namespace

std::int64_t digest_prefix_bytes(const KvShape& shape, kv::DigestType type, std::int64_t tokens) {
    const std::int64_t blocks =
        kv::page_count(kv::page_count(tokens, shape.page_tokens), digest_block_pages);
    // A group begins with the blocks of its superpages.
    const std::int64_t rows = blocks + kv::page_count(blocks, digest_block_pages);
    return rows * shape.kv_heads * digest_block_bytes(shape.head_dim, type);
}

Result<DigestStore> DigestStore::make(const KvShape& shape, const DigestConfig& config) {
    assert(config.layers.empty() || config.layers.size() == shape.kept_tokens.size());
    DigestStore store;
    store.shape_ = shape;
    store.config_ = config;
    const std::int64_t groups = kv::page_count(
        shape.capacity_tokens, shape.page_tokens * digest_block_pages * digest_block_pages);
    const std::int64_t bytes =
        groups * (digest_block_pages + 1) * shape.kv_heads * store.block_bytes();
    for (std::size_t layer = 0; layer < shape.kept_tokens.size(); ++layer) {
        Layer made;
        made.selects = config.layers.empty() || config.layers[layer];
        if (made.selects) {
            // A layer that writes over its oldest tokens has no page for a digest to stand for.
            assert(shape.kept_tokens[layer] == 0);
            MEMSIDE_TRY(made.memory, HugeMemory::reserve(static_cast<std::size_t>(bytes)));
            for (int h = 0; h < shape.kv_heads; ++h) made.open.push_back(store.nothing_open());
        }
        store.layers_.push_back(std::move(made));
    }
    return store;
}

DigestStore::OpenPage DigestStore::nothing_open() const {
    const auto dim = static_cast<std::size_t>(shape_.head_dim);
    OpenPage open;
    open.digest = kv::digest_variant(config_.kind).make(shape_.head_dim, config_.coefficient);
    for (Corners* corners :
         {&open.exact, &open.own, &open.closed, &open.all, &open.all_stored, &open.next}) {
        corners->low.resize(dim);
        corners->high.resize(dim);
    }
    return open;
}

std::int64_t DigestStore::bytes(std::int64_t tokens) const {
    const std::int64_t pages = kv::page_count(tokens, shape_.page_tokens);
    const std::int64_t blocks = kv::page_count(pages, digest_block_pages);
    const std::int64_t superblocks = kv::page_count(blocks, digest_block_pages);
    const auto layers = std::ranges::count_if(layers_, [](const Layer& l) { return l.selects; });
    return layers * shape_.kv_heads * (blocks + superblocks) * block_bytes();
}

Status DigestStore::bind(const std::vector<int>& nodes) {
    for (const Layer& layer : layers_) {
        MEMSIDE_CHECK(bind_memory(layer.memory.data(), layer.memory.size(), nodes));
    }
    return {};
}

std::span<const std::byte> DigestStore::stored(int layer, std::int64_t tokens) const {
    return {layers_[static_cast<std::size_t>(layer)].memory.data(),
            static_cast<std::size_t>(digest_prefix_bytes(shape_, config_.type, tokens))};
}

void DigestStore::restore(int layer, std::int64_t tokens, std::span<const std::byte> bytes) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    const std::size_t count = stored(layer, tokens).size();
    assert(at.selects && bytes.size() >= count);
    std::memcpy(at.memory.data(), bytes.data(), count);
    at.tokens = tokens;
    for (OpenPage& open : at.open) open.page = -1;
}

void DigestStore::append(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    assert(at.selects && first <= at.tokens && first + tokens <= shape_.capacity_tokens);
    // After a rewind without new tokens the last page is taken in again.
    const bool rewind = tokens == 0 && first < at.tokens;
    const std::int64_t from = rewind ? first / shape_.page_tokens * shape_.page_tokens : first;
    for (int h = 0; h < shape_.kv_heads; ++h) {
        OpenPage& open = at.open[static_cast<std::size_t>(h)];
        if (rewind) open.page = -1;
        grow(store, layer, h, from, first + tokens, open);
    }
    at.tokens = first + tokens;
}

void DigestStore::append(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens,
                         ThreadPool& pool) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    assert(at.selects && first <= at.tokens && first + tokens <= shape_.capacity_tokens);
    if (tokens == 0) return append(store, layer, first, 0);
    const std::int64_t span = superpage_pages * shape_.page_tokens;
    const std::int64_t end = first + tokens;
    const std::int64_t first_part = first / span;
    const std::int64_t parts = (end - 1) / span + 1 - first_part;
    // A superpage of a KV head is one thread's, who begins with the whole page of token `first`.
    pool.run(parts * shape_.kv_heads, [&](std::int64_t index) {
        const std::int64_t part = first_part + index / shape_.kv_heads;
        OpenPage open = nothing_open();
        grow(store, layer, static_cast<int>(index % shape_.kv_heads), std::max(first, part * span),
             std::min(end, (part + 1) * span), open);
    });
    for (OpenPage& open : at.open) open.page = -1;
    at.tokens = end;
}

void DigestStore::renew(const KvStore& store, int layer, std::int64_t first, std::int64_t tokens) {
    Layer& at = layers_[static_cast<std::size_t>(layer)];
    assert(at.selects && tokens > 0 && first + tokens <= at.tokens);
    const std::int64_t span = superpage_pages * shape_.page_tokens;
    const std::int64_t begin = first / span * span;
    const std::int64_t end = std::min((first + tokens + span - 1) / span * span, at.tokens);
    for (int h = 0; h < shape_.kv_heads; ++h) {
        OpenPage open = nothing_open();
        for (std::int64_t from = begin; from < end; from += span) {
            open.page = -1;
            grow(store, layer, h, from, std::min(from + span, end), open);
        }
        at.open[static_cast<std::size_t>(h)].page = -1;
    }
}

void DigestStore::open_page(int layer, int kv_head, std::int64_t page, OpenPage& open) const {
    const bool next = open.page >= 0 && page == open.page + 1 && page % superpage_pages != 0 &&
                      open.digest->tokens() == shape_.page_tokens;
    if (next) {
        std::swap(open.closed, open.all);
    } else {
        std::ranges::fill(open.closed.low, std::numeric_limits<float>::infinity());
        std::ranges::fill(open.closed.high, -std::numeric_limits<float>::infinity());
        const std::byte* from = block(layer, kv_head, page / digest_block_pages);
        for (std::int64_t lane = 0; lane < page % superpage_pages; ++lane) {
            load_corners(config_.type, from, lane, open.own.low, open.own.high);
            unite(open.closed.low, open.closed.high, open.own.low, open.own.high);
        }
    }
    open.digest->clear();
    open.page = page;
}

void DigestStore::grow(const KvStore& store, int layer, int kv_head, std::int64_t first,
                       std::int64_t last, OpenPage& open) const {
    for (std::int64_t from = first; from < last;) {
        const std::int64_t page = from / shape_.page_tokens;
        const std::int64_t begin = page * shape_.page_tokens;
        const std::int64_t to = std::min(last, begin + shape_.page_tokens);
        const bool continues = open.page == page && begin + open.digest->tokens() == from;
        if (!continues) {
            open_page(layer, kv_head, page, open);
            from = begin;
        }
        open.keys.resize(static_cast<std::size_t>((to - from) * shape_.head_dim));
        store.read_keys(layer, page, kv_head, from - begin, to - from, open.keys.data());
        open.digest->append(open.keys);
        store_page(layer, kv_head, continues, open);
        from = to;
    }
}

// Stores a box, or what of it has changed; `stored` becomes what the block holds.
void DigestStore::store(bool continues, const Corners& before, const Corners& now, Corners& stored,
                        std::byte* block, std::int64_t lane) const {
    if (!continues || config_.type != kv::DigestType::f16) {
        stored = now;
        return store_corners(config_.type, stored.low, stored.high, block, lane);
    }
    // Few channels of a box that has seen some tokens change.
    for (std::size_t d = 0; d < now.low.size(); ++d) {
        if (now.low[d] == before.low[d] && now.high[d] == before.high[d]) continue;
        stored.low[d] = now.low[d];
        stored.high[d] = now.high[d];
        store_f16_channel(stored.low[d], stored.high[d], block, lane, d);
    }
}

// Stores what the digest of the open page says, and the superpage.
void DigestStore::store_page(int layer, int kv_head, bool continues, OpenPage& open) const {
    const std::int64_t block = open.page / digest_block_pages;
    const auto same = [](const Corners& a, const Corners& b) {
        return a.low == b.low && a.high == b.high;
    };
    open.digest->corners(open.next.low, open.next.high);
    if (continues && same(open.next, open.exact)) return;
    store(continues, open.exact, open.next, open.own,
          start(layer, kv_head, block / digest_block_pages, 1 + block % digest_block_pages),
          open.page % digest_block_pages);
    std::swap(open.exact, open.next);

    open.next = open.closed;
    unite(open.next.low, open.next.high, open.own.low, open.own.high);
    if (continues && same(open.next, open.all)) return;
    store(continues, open.all, open.next, open.all_stored,
          start(layer, kv_head, block / digest_block_pages, 0), block % digest_block_pages);
    std::swap(open.all, open.next);
}

}  // namespace memside::engine
